#include "core/zo/spsa.h"

#include <algorithm>
#include <cmath>

namespace mezo {

std::vector<std::vector<Stream>> forwards_of(const SpsaOptions& options) {
  std::vector<std::vector<Stream>> forwards;
  if (options.one_sided) forwards.push_back({{-1, 0.0f}});
  for (int p = 0; p < options.probes; ++p) {
    // The first one-sided probe shares a forward with theta itself.
    if (forwards.empty() || !(options.together || (options.one_sided && p == 0)))
      forwards.emplace_back();
    forwards.back().push_back({p, options.epsilon});
    if (!options.one_sided) forwards.back().push_back({p, -options.epsilon});
  }
  return forwards;
}

StepUpdate update_of(const SpsaOptions& options, double learning_rate,
                     std::span<const float> projected_gradients) {
  StepUpdate update;
  for (const float g : projected_gradients) {
    const double clipped =
        options.clip > 0 ? std::clamp(double{g}, -options.clip, options.clip) : double{g};
    update.coefficients.push_back(static_cast<float>(learning_rate * clipped / options.probes));
    update.applied =
        update.applied && std::isfinite(g) && std::isfinite(update.coefficients.back());
  }
  update.decay = static_cast<float>(learning_rate * options.weight_decay);
  update.applied = update.applied && std::isfinite(update.decay);
  return update;
}

namespace {

// Every loss of a step, forward by forward.
std::vector<double> all_losses(ExactWeights& weights, const SpsaOptions& options,
                               std::uint32_t step, const Losses& losses) {
  std::vector<double> all;
  for (std::vector<Stream>& streams : forwards_of(options)) {
    weights.perturb(step, std::move(streams));
    const std::vector<double> values = losses(weights);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

}  // namespace

SpsaStep spsa_step(ExactWeights& weights, const SpsaOptions& options, std::uint32_t step,
                   double learning_rate, const Losses& losses) {
  const std::vector<double> all = all_losses(weights, options, step, losses);
  SpsaStep result;
  const double epsilon = options.epsilon;
  for (std::size_t p = 0; p < static_cast<std::size_t>(options.probes); ++p) {
    const double plus = options.one_sided ? all.at(1 + p) : all.at(2 * p),
                 other = options.one_sided ? all.at(0) : all.at(2 * p + 1);
    result.loss +=
        options.one_sided ? other / options.probes : (plus + other) / (2.0 * options.probes);
    result.projected_gradients.push_back(
        static_cast<float>((plus - other) / (options.one_sided ? epsilon : 2.0 * epsilon)));
  }
  StepUpdate update = update_of(options, learning_rate, result.projected_gradients);
  result.applied = update.applied;
  if (update.applied) weights.push(step, std::move(update.coefficients), update.decay);
  return result;
}

}  // namespace mezo
