#include "core/checkpoint/rounding_cost.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/io/float16.h"

namespace mezo {
namespace {

constexpr std::int64_t chunk = 1 << 16;

struct ChunkCost {
  std::int64_t changed = 0, lost = 0;
  double weight_squares = 0, error_squares = 0, change_squares = 0;
  std::int64_t unfit = -1;  // place of the first weight without a finite value in the type
};

// `narrow` gives the stored value, `widen` what it reads as.
template <class Stored, class Narrow, class Widen>
ChunkCost write_chunk(std::span<const float> weights, std::span<const float> base, std::byte* out,
                      Narrow narrow, Widen widen) {
  ChunkCost cost;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float w = weights[i], b = base[i];
    const Stored stored = narrow(w);
    std::memcpy(out + i * sizeof stored, &stored, sizeof stored);
    const double written = widen(stored);
    if (!std::isfinite(written) && cost.unfit < 0) cost.unfit = static_cast<std::int64_t>(i);
    const double error = written - w, change = static_cast<double>(w) - b;
    cost.weight_squares += static_cast<double>(w) * w;
    cost.error_squares += error * error;
    cost.change_squares += change * change;
    cost.changed += w != b;
    cost.lost += w != b && written == widen(narrow(b));
  }
  return cost;
}

ChunkCost write_chunk(std::span<const float> weights, std::span<const float> base, DType dtype,
                      std::byte* out) {
  const auto same = [](float x) { return x; };
  switch (dtype) {
    case DType::F32:
      return write_chunk<float>(weights, base, out, same, same);
    case DType::F16:
      return write_chunk<std::uint16_t>(weights, base, out, fp32_to_fp16, fp16_to_fp32);
    case DType::BF16:
      return write_chunk<std::uint16_t>(weights, base, out, fp32_to_bf16, bf16_to_fp32);
    default:
      throw RunError(
          fmt::format("[write_rounded] expected F32, F16 or BF16, got {}", name_of(dtype)));
  }
}

void add(RoundingCost& cost, const ChunkCost& of) {
  cost.changed += of.changed;
  cost.lost += of.lost;
  cost.weight_squares += of.weight_squares;
  cost.error_squares += of.error_squares;
  cost.change_squares += of.change_squares;
}

double root_of_ratio(double a, double b) { return b > 0 ? std::sqrt(a / b) : 0; }

}  // namespace

double RoundingCost::error_over_weights() const {
  return root_of_ratio(error_squares, weight_squares);
}
double RoundingCost::error_over_change() const {
  return root_of_ratio(error_squares, change_squares);
}
double RoundingCost::lost_share() const {
  return changed > 0 ? static_cast<double>(lost) / static_cast<double>(changed) : 0;
}

std::string RoundingCost::text() const {
  if (error_squares == 0) return "rounding: none, every weight is written as it is";
  std::string line =
      fmt::format("rounding: RMS error {:.3e} of the weights'", error_over_weights());
  if (changed > 0)
    line += fmt::format(", {:.3e} of the change's; {:.2f}% of the changed weights are as before",
                        error_over_change(), 100 * lost_share());
  return line;
}

void write_rounded(std::span<const float> weights, std::span<const float> base, DType dtype,
                   std::span<std::byte> out, RoundingCost& cost, const std::string& tensor) {
  const auto count = static_cast<std::int64_t>(weights.size());
  const std::int64_t chunks = (count + chunk - 1) / chunk;
  std::vector<ChunkCost> costs(static_cast<std::size_t>(chunks));
  at::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      const auto first = static_cast<std::size_t>(c * chunk);
      const std::size_t length = std::min<std::size_t>(chunk, weights.size() - first);
      costs[static_cast<std::size_t>(c)] =
          write_chunk(weights.subspan(first, length), base.subspan(first, length), dtype,
                      out.data() + bytes_of(dtype, c * chunk));
    }
  });
  for (std::int64_t c = 0; c < chunks; ++c) {
    const ChunkCost& of = costs[static_cast<std::size_t>(c)];
    if (of.unfit >= 0) {
      const std::int64_t place = c * chunk + of.unfit;
      throw RunError(
          fmt::format("tensor {}: expected weights with a finite value in {}, got {} at "
                      "element {}",
                      tensor, name_of(dtype), weights[static_cast<std::size_t>(place)], place));
    }
    add(cost, of);
  }
  cost.weights += count;
  if (dtype != DType::F32) cost.narrowed += count;
}

}  // namespace mezo
