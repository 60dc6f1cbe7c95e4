#include "core/zo/spsa.h"

#include <cmath>

namespace mezo {

SpsaStep spsa_step(ExactWeights& weights, const SpsaOptions& options, std::uint32_t step,
                   double learning_rate, const TwoLosses& losses) {
  SpsaStep result;
  for (int p = 0; p < options.probes; ++p) {
    weights.perturb({step, static_cast<std::uint32_t>(p), options.epsilon});
    const auto [plus, minus] = losses(weights);
    result.loss += (plus + minus) / (2.0 * options.probes);
    result.projected_gradients.push_back(
        static_cast<float>((plus - minus) / (2.0 * double{options.epsilon})));
  }
  std::vector<float> coefficients;
  for (const float g : result.projected_gradients) {
    coefficients.push_back(static_cast<float>(learning_rate * double{g} / options.probes));
    result.applied = result.applied && std::isfinite(g) && std::isfinite(coefficients.back());
  }
  const auto decay = static_cast<float>(learning_rate * options.weight_decay);
  result.applied = result.applied && std::isfinite(decay);
  if (result.applied) weights.push(step, std::move(coefficients), decay);
  return result;
}

}  // namespace mezo
