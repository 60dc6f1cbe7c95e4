#include "core/forward/rotation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <stdexcept>

namespace mezo {

namespace {

at::Tensor placed(const std::vector<float>& values, at::Device device) {
  at::Tensor t = at::empty({1, static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), t.mutable_data_ptr<float>());
  return t.to(device, at::kFloat, /*non_blocking=*/true);
}

}  // namespace

const Rotation::Turns& Rotation::turns(const Rotary& rotary, at::ScalarType type) {
  for (const Turns& known : made_)
    if (known.cosine.scalar_type() == type && known.rotary == rotary) return known;
  const at::Tensor angles =
      positions_.to(at::kFloat).unsqueeze(1) * placed(rotary.frequencies, positions_.device());
  const auto finished = [&](const at::Tensor& t) {
    return (rotary.amplitude == 1 ? t : t * rotary.amplitude).unsqueeze(1).to(type);
  };
  made_.push_back({rotary, finished(angles.cos()), finished(angles.sin())});
  return made_.back();
}

at::Tensor Rotation::operator()(const at::Tensor& x, const Rotary& rotary) {
  const auto pairs = static_cast<std::int64_t>(rotary.frequencies.size());
  if (x.dim() != 3 || x.size(0) != positions_.size(0) || x.size(2) < 2 * pairs)
    throw std::logic_error("[Ops] rope() expects the heads of all rows, [R, H, D], with D >= " +
                           std::to_string(2 * pairs));
  const auto& [known, c, s] = turns(rotary, x.scalar_type());
  const bool halves = rotary.pairs == Rotary::Pairs::halves;
  const at::Tensor turned = x.narrow(2, 0, 2 * pairs);
  const at::Tensor a = halves ? turned.narrow(2, 0, pairs) : turned.slice(2, 0, 2 * pairs, 2);
  const at::Tensor b = halves ? turned.narrow(2, pairs, pairs) : turned.slice(2, 1, 2 * pairs, 2);
  std::vector<at::Tensor> parts = {a * c - b * s, b * c + a * s};
  if (!halves) parts = {at::stack(parts, 3).flatten(2)};
  if (x.size(2) > 2 * pairs) parts.push_back(x.narrow(2, 2 * pairs, x.size(2) - 2 * pairs));
  return parts.size() == 1 ? parts[0] : at::cat(parts, 2);
}

}  // namespace mezo
