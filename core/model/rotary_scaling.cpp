#include "core/model/rotary_scaling.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_not.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/rsub.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mezo {

namespace {

at::Tensor places(std::int64_t end, std::int64_t step) {
  return at::arange(0, end, step, at::TensorOptions(at::kCPU).dtype(at::kFloat));
}

std::vector<float> listed(const at::Tensor& t) {
  const at::Tensor row = t.contiguous();
  return {row.const_data_ptr<float>(), row.const_data_ptr<float>() + row.numel()};
}

// The pair, as a fraction, that turns so many times in so many positions.
double pair_of(double turns, std::int64_t width, double base, double positions) {
  return static_cast<double>(width) * std::log(positions / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(base));
}

}  // namespace

std::vector<float> llama3_frequencies(std::int64_t width, double base, const Llama3Scaling& s) {
  std::vector<float> unscaled = rotary_frequencies(width, base);
  const at::Tensor f =
      at::from_blob(unscaled.data(), {static_cast<std::int64_t>(unscaled.size())}, at::kFloat);
  const double longest = s.original / s.low_frequency, shortest = s.original / s.high_frequency;
  const at::Tensor wave = f.reciprocal() * (2 * std::numbers::pi);
  const at::Tensor slower = at::where(wave > longest, f / s.factor, f);
  const at::Tensor share =
      (wave.reciprocal() * s.original - s.low_frequency) / (s.high_frequency - s.low_frequency);
  const at::Tensor between = at::rsub(share, 1) * slower / s.factor + share * slower;
  const at::Tensor outside = (wave < shortest).logical_or(wave > longest);
  return listed(at::where(outside, slower, between));
}

std::vector<float> yarn_frequencies(std::int64_t width, double base, const YarnScaling& s) {
  double low = pair_of(s.beta_fast, width, base, s.original),
         high = pair_of(s.beta_slow, width, base, s.original);
  if (s.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(width - 1));
  if (low == high) high += 0.001;
  const at::Tensor ramp = ((places(width / 2, 1) - low) / (high - low)).clamp(0, 1);
  const at::Tensor kept = at::rsub(ramp, 1);
  const at::Tensor powers = at::pow(base, places(width, 2) / width);
  return listed((powers * s.factor).reciprocal() * at::rsub(kept, 1) + powers.reciprocal() * kept);
}

double yarn_amplitude(double factor, double scale) {
  return factor <= 1 ? 1.0 : 0.1 * scale * std::log(factor) + 1.0;
}

double dynamic_base(std::int64_t width, double base, double factor, double positions) {
  const auto dim = static_cast<double>(width);
  return base * std::pow(factor * positions / positions - (factor - 1), dim / (dim - 2));
}

}  // namespace mezo
