#pragma once
// Minimises a smooth convex function by limited-memory BFGS (Nocedal and Wright, Numerical
// Optimization, algorithm 7.5), for the few parameters of a linear probe.

#include <ATen/core/Tensor.h>

#include <functional>
#include <utility>

#include "core/api.h"

namespace mezo {

// The function's value at a point and its gradient there.
using ValueAndGradient = std::function<std::pair<double, at::Tensor>(const at::Tensor& x)>;

struct LbfgsOptions {
  int most_iterations = 5000;
  double tolerance = 1e-6;  // of the gradient's largest element
  int memory = 10;          // pairs that are remembered
};

// From `x` (fp64, any shape) to a point whose gradient is within the tolerance, or the last one
// that was reached.
MEZO_API at::Tensor minimise(const ValueAndGradient& function, at::Tensor x,
                             const LbfgsOptions& options = {});

}  // namespace mezo
