#include "core/run/lost_perturbations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mezo {

std::string lost_perturbations(std::vector<TensorSlope> slopes, float epsilon,
                               const std::string& dtype) {
  const std::size_t all = slopes.size();
  std::erase_if(slopes, [](const TensorSlope& s) { return !s.off(); });
  if (slopes.empty()) return {};
  std::stable_sort(slopes.begin(), slopes.end(), [](const TensorSlope& a, const TensorSlope& b) {
    return std::abs(a.slope - 1) > std::abs(b.slope - 1);
  });
  std::string named;
  for (std::size_t i = 0; i < std::min<std::size_t>(slopes.size(), 5); ++i)
    named += fmt::format("{}{} {:.3f}", i ? ", " : "", slopes[i].name, slopes[i].slope);
  return fmt::format(
      "{} of {} matrices are perturbed by other than epsilon z, because {} rounds it away (share "
      "that is left, which should be 1: {}{}); a larger optimizer.epsilon than {:g} helps, or "
      "model.dtype=float32",
      slopes.size(), all, dtype, named, slopes.size() > 5 ? ", …" : "", epsilon);
}

std::string lost_perturbations(const LoadedModel& model, const ExactOptions& options,
                               float epsilon) {
  if (options.dtype == at::kFloat) return {};
  return lost_perturbations(slopes_of(model.store, model.trained, options, epsilon), epsilon,
                            name_of_dtype(options.dtype));
}

}  // namespace mezo
