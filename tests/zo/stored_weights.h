#pragma once
// Weights of a test in any storage, in memory that begins anywhere, beside guards that a kernel
// must leave alone.

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernel_cases.h"
#include "scalar_kernels.h"

namespace mezo {

constexpr Storage all_storages[] = {Storage::float32, Storage::float16, Storage::bfloat16,
                                    Storage::bfloat16_8};
constexpr at::ScalarType all_types[] = {at::kFloat, at::kHalf, at::kBFloat16};
constexpr Distribution all_distributions[] = {Distribution::gaussian, Distribution::rademacher};

struct StoredWeights {
  Storage storage;
  std::size_t lead;  // guards before and after, in elements
  std::vector<float> wide;
  std::vector<std::uint16_t> words;
  std::vector<std::uint8_t> residual;

  StoredWeights(Storage storage_, const std::vector<float>& values, std::size_t lead_ = 0)
      : storage(storage_), lead(lead_) {
    const std::size_t n = values.size() + 2 * lead;
    if (storage == Storage::float32)
      wide.assign(n, 7.0f);
    else
      words.assign(n, 0x4567);
    if (storage == Storage::bfloat16_8) residual.assign(n, 0x5A);
    // A draw of 0 cuts a value off: one that the storage holds.
    for (std::size_t i = 0; i < values.size(); ++i)
      store_value(view(), static_cast<std::int64_t>(i), values[i], 0);
  }
  StoredView view() {
    if (storage == Storage::float32) return {storage, wide.data() + lead, nullptr};
    return {storage, words.data() + lead,
            storage == Storage::bfloat16_8 ? residual.data() + lead : nullptr};
  }
  // Of everything that is kept, guards included.
  bool operator==(const StoredWeights& o) const {
    return same_bytes(wide, o.wide) && words == o.words && residual == o.residual;
  }
};

// kernel_weights() that the storage holds: fp16 ends at 65,504 and is subnormal from 6e-5 down.
inline std::vector<float> weights_for(Storage storage, std::int64_t n, std::uint64_t seed) {
  if (storage != Storage::float16) return kernel_weights(n, seed);
  std::vector<float> w = kernel_weights(n, seed, 1.5e4f);
  for (float& x : w)
    if (std::abs(x) < 1e-30f) x *= 1e32f;
  return w;
}

// Where streams are read into: bytes, with guards as above.
struct ReadBuffer {
  std::vector<std::uint8_t> bytes;
  std::vector<void*> outs;  // one a stream
  ReadBuffer(std::size_t streams, std::size_t n, at::ScalarType type, std::size_t lead = 0) {
    const std::size_t size = type == at::kFloat ? 4 : 2, each = (n + 2 * lead) * size;
    bytes.assign(streams * each, 0x77);
    for (std::size_t s = 0; s < streams; ++s) outs.push_back(bytes.data() + s * each + lead * size);
  }
};

}  // namespace mezo
