#pragma once
// Rotary positions of one batch: the cosines and sines of each Rotary that its model uses, made
// when it is first asked for and kept for all layers. Used by StreamOps.

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/api.h"
#include "core/model/rotary.h"

namespace mezo {

class MEZO_API Rotation {
 public:
  // positions [R] int64, on the device of the heads.
  explicit Rotation(at::Tensor positions) : positions_(std::move(positions)) {}

  // x [R, H, D] -> [R, H, D] of x's type. The angles are fp32, their cosines and sines are rounded
  // to x's type once. std::logic_error where x has other rows or heads too narrow.
  at::Tensor operator()(const at::Tensor& x, const Rotary& rotary);

 private:
  struct Turns {
    Rotary rotary;
    at::Tensor cosine, sine;  // [R, 1, pairs] in the type of the heads
  };
  const Turns& turns(const Rotary& rotary, at::ScalarType type);

  at::Tensor positions_;
  std::vector<Turns> made_;
};

}  // namespace mezo
