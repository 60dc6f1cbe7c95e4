#pragma once
// One zeroth-order step on exact weights, by whatever estimator: evaluate, observe, update. A
// replay's step is its second half, with the scalars of the trajectory.

#include <functional>
#include <span>
#include <vector>

#include "core/zo/estimator.h"
#include "core/zo/exact_weights.h"

namespace mezo {

// The losses of one batch, at each stream of what is given.
using Losses = std::function<std::vector<double>(ParameterSource&)>;

struct StepResult {
  double loss = 0;
  std::vector<float> scalars;  // as the trajectory records them
  bool applied = true;         // false: theta stays as it was
};

MEZO_API StepResult take_step(ExactWeights& weights, Estimator& estimator, std::uint32_t step,
                              double learning_rate, const Losses& losses);

// Returns whether the step moved theta (StepUpdate::applied).
MEZO_API bool repeat_step(ExactWeights& weights, Estimator& estimator, std::uint32_t step,
                          double learning_rate, std::span<const float> scalars);

}  // namespace mezo
