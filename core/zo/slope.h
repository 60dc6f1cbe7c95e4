#pragma once
// Whether what streams read of a matrix is theta + eps z and theta - eps z, or what rounding to a
// 16-bit type leaves of it: the slope of (W+ - W-) / (2 eps) on z, which should be 1. A type whose
// spacing at a tensor's weights is far above eps loses the perturbation, and with it the projected
// gradient's part of that tensor. Measured through the kernels that training uses, on a sample, so
// it costs milliseconds a tensor.

#include <string>
#include <vector>

#include "core/zo/exact_weights.h"

namespace mezo {

constexpr std::int64_t slope_sample = 65'536;  // elements of a tensor, in whole rows
constexpr double slope_tolerance = 0.02;

struct TensorSlope {
  std::string name;
  double slope = 1;
  bool off() const { return !(slope > 1 - slope_tolerance && slope < 1 + slope_tolerance); }
};

// Of every trained matrix and embedding, along z of step 0. Vectors are perturbed in fp32, adapters
// rounded so that nothing is lost on average. Writes
// nothing.
MEZO_API std::vector<TensorSlope> slopes_of(const ParameterStore& store,
                                            const std::vector<bool>& trained,
                                            const ExactOptions& options, float epsilon);

}  // namespace mezo
