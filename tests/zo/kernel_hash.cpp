// Prints one hash over what the kernels make of weights in every storage. CMakeLists.txt builds it
// with core/zo/kernel.cpp for several instruction sets; all must print the same. Exits with 77 on a
// processor that lacks those of the build.

#include <cstdio>
#include <string_view>

#include "stored_weights.h"

using namespace mezo;

namespace {

std::uint64_t hash(std::uint64_t h, const void* bytes, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    h = (h ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001B3ull;
  return h;
}

std::uint64_t hash(std::uint64_t h, const StoredWeights& w) {
  h = hash(h, w.wide.data(), w.wide.size() * sizeof(float));
  h = hash(h, w.words.data(), w.words.size() * sizeof(std::uint16_t));
  return hash(h, w.residual.data(), w.residual.size());
}

// The weights after one pass, and what three streams read.
std::uint64_t hash_kind(std::uint64_t h, WeightPass pass, Storage storage, float scale,
                        std::int64_t n, std::uint64_t first) {
  const std::vector<Stream> streams{{-1, 0.0f}, {1, scale}, {1, -scale}};
  const auto owned = kernel_updates(3, 2, scale, 1e-3f);
  StoredWeights w(storage, weights_for(storage, n, 8));
  ReadBuffer read(streams.size(), static_cast<std::size_t>(n), pass.type);
  pass.weights = w.view();
  pass.streams = streams;
  run_range(pass, w.view(), first, n, views(owned), read.outs);
  return hash(hash(h, w), read.bytes.data(), read.bytes.size());
}

}  // namespace

int main() {
#if defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512bw"))
    return 77;
#elif defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 77;
#endif
  std::uint64_t h = 0xCBF29CE484222325ull;
  WeightPass pass;
  pass.key = philox_key(5, "hash");
  pass.step = 40;
  for (const Storage storage : all_storages)
    for (const at::ScalarType type : all_types)
      for (const Distribution distribution : all_distributions)
        for (const bool dithered : {false, true})
          for (const float scale : {1e-4f, 3e-39f})
            for (const std::int64_t n : {1, 7, 64, 1025, 5000})
              for (const std::uint64_t first :
                   {std::uint64_t{13}, (std::uint64_t{1} << 35) - 500}) {
                pass.type = type;
                pass.distribution = distribution;
                pass.dithered = dithered;
                h = hash_kind(h, pass, storage, scale, n, first);
              }
  std::printf("%016llx\n", static_cast<unsigned long long>(h));
}
