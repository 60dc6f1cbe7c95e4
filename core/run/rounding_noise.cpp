#include "core/run/rounding_noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mezo {

double bfloat16_noise(double steps, double step_size) {
  // Of one rounding, the expected square over the weights' mean square. A number u below the last
  // bit rounds up or down by |u| * ulp in the mean of squares: 5.9% after 20,000 updates of 1e-6.
  // Above it any remainder is as likely as another: ulp^2 / 6, with ulp / |w| between 2^-8 and
  // 2^-7.
  const double small = 0.059 * 0.059 / 0.02 * step_size, large = 5.5e-6;
  return std::sqrt(steps * std::min(small, large));
}

std::string bfloat16_warning(const Schedule& schedule) {
  return fmt::format(
      "warning: optimizer.storage: bfloat16 rounds every update: {} steps at learning rate {:g} "
      "are "
      "expected to leave an error of {:.2g}% of the weights (RMS over RMS, for projected gradients "
      "of 10); bfloat16+8 has a sixteenth of it for one byte more a weight",
      schedule.steps, schedule.learning_rate,
      100 * bfloat16_noise(schedule.steps, 10 * schedule.learning_rate));
}

}  // namespace mezo
