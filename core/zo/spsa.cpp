#include "core/zo/spsa.h"

#include <algorithm>
#include <cmath>

namespace mezo {

Estimator::~Estimator() = default;

std::vector<std::vector<Stream>> Spsa::forwards(std::uint32_t) const {
  std::vector<std::vector<Stream>> forwards;
  if (options_.one_sided) forwards.push_back({{-1, 0.0f}});
  for (int p = 0; p < options_.probes; ++p) {
    // The first one-sided probe shares a forward with theta itself.
    if (forwards.empty() || !(options_.together || (options_.one_sided && p == 0)))
      forwards.emplace_back();
    forwards.back().push_back({p, options_.epsilon});
    if (!options_.one_sided) forwards.back().push_back({p, -options_.epsilon});
  }
  return forwards;
}

Observation Spsa::observe(std::uint32_t, std::span<const double> losses) const {
  Observation seen;
  const double epsilon = options_.epsilon;
  for (std::size_t p = 0; p < scalars_a_step(); ++p) {
    const double plus = options_.one_sided ? losses[1 + p] : losses[2 * p],
                 other = options_.one_sided ? losses[0] : losses[2 * p + 1];
    seen.loss +=
        options_.one_sided ? other / options_.probes : (plus + other) / (2.0 * options_.probes);
    seen.scalars.push_back(
        static_cast<float>((plus - other) / (options_.one_sided ? epsilon : 2.0 * epsilon)));
  }
  return seen;
}

StepUpdate Spsa::update(std::uint32_t step, double learning_rate, std::span<const float> scalars) {
  StepUpdate update;
  for (std::size_t p = 0; p < scalars.size(); ++p) {
    const double g = scalars[p];
    const double clipped = options_.clip > 0 ? std::clamp(g, -options_.clip, options_.clip) : g;
    const auto coefficient = static_cast<float>(learning_rate * clipped / options_.probes);
    update.terms.push_back({step, static_cast<std::uint32_t>(p), coefficient});
    update.applied = update.applied && std::isfinite(g) && std::isfinite(coefficient);
  }
  update.decay = static_cast<float>(learning_rate * options_.weight_decay);
  update.applied = update.applied && std::isfinite(update.decay);
  return update;
}

}  // namespace mezo
