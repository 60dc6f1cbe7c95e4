#include "core/model/rotary.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/pow.h>

#include <stdexcept>

namespace mezo {

std::vector<float> rotary_frequencies(std::int64_t width, double base) {
  if (width <= 0 || width % 2 != 0 || !(base > 0))
    throw std::logic_error("[rotary_frequencies] expected an even width and a base above 0");
  // By torch's own operations, whose last bits std::pow's need not be.
  const at::Tensor exponent =
      at::arange(0, width, 2, at::TensorOptions(at::kCPU).dtype(at::kFloat)).div_(width);
  const at::Tensor f = at::pow(base, exponent).reciprocal_().contiguous();
  return {f.const_data_ptr<float>(), f.const_data_ptr<float>() + f.numel()};
}

}  // namespace mezo
