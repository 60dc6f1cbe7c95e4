#include "core/zo/step.h"

#include <stdexcept>
#include <string>

namespace mezo {

StepResult take_step(ExactWeights& weights, Estimator& estimator, std::uint32_t step,
                     double learning_rate, const Losses& losses) {
  std::vector<double> all;
  for (std::vector<Stream>& streams : estimator.forwards(step)) {
    weights.perturb(step, std::move(streams));
    const std::vector<double> values = losses(weights);
    if (values.size() != static_cast<std::size_t>(weights.streams()))
      throw std::logic_error("[estimator] a loss for each of " + std::to_string(weights.streams()) +
                             " streams, got " + std::to_string(values.size()));
    all.insert(all.end(), values.begin(), values.end());
  }
  Observation seen = estimator.observe(step, all);
  if (seen.scalars.size() != estimator.scalars_a_step())
    throw std::logic_error("[estimator] observe() must give " +
                           std::to_string(estimator.scalars_a_step()) + " scalars, got " +
                           std::to_string(seen.scalars.size()));
  const bool applied = repeat_step(weights, estimator, step, learning_rate, seen.scalars);
  return {seen.loss, std::move(seen.scalars), applied};
}

bool repeat_step(ExactWeights& weights, Estimator& estimator, std::uint32_t step,
                 double learning_rate, std::span<const float> scalars) {
  StepUpdate update = estimator.update(step, learning_rate, scalars);
  if (update.applied) weights.push(step, std::move(update.terms), update.decay);
  return update.applied;
}

}  // namespace mezo
