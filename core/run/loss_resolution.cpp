#include "core/run/loss_resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace mezo {

std::string lost_in_the_loss(std::span<const Slope> slopes, double epsilon) {
  constexpr double spacing = 1.0 / (1 << 23);
  std::vector<double> spacings;  // that the difference of a step is wide
  for (const Slope& s : slopes)
    if (std::isfinite(s.gradient) && s.gradient != 0)
      spacings.push_back(epsilon * std::abs(s.gradient) /
                         (spacing * std::max(1.0, std::abs(s.loss))));
  if (spacings.size() < 8) return {};
  const auto middle = spacings.begin() + static_cast<std::ptrdiff_t>(spacings.size() / 2);
  std::nth_element(spacings.begin(), middle, spacings.end());
  if (*middle > 16) return {};
  return fmt::format(
      "the losses of a step differ by {:.2g} times what float32 resolves of a loss: the gradients "
      "are mostly rounding; a larger optimizer.epsilon than {:g} helps",
      *middle, epsilon);
}

}  // namespace mezo
