#include "core/run/lost_perturbations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

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
      "that is left, which should be 1: {}{}); a larger optimizer.epsilon than {:g} helps{}",
      slopes.size(), all, dtype, named, slopes.size() > 5 ? ", …" : "", epsilon,
      dtype == "float32" ? "" : ", or model.dtype=float32");
}

std::string lost_perturbations(const LoadedModel& model, const ExactOptions& options,
                               float epsilon) {
  constexpr float safe_in_fp32 = 1e-5f;  // above its spacing at weights of 64
  if (options.dtype == at::kFloat && epsilon >= safe_in_fp32) return {};
  std::vector<TensorSlope> slopes = slopes_of(model.store, model.trained, options, epsilon);
  const std::string dtype = name_of_dtype(options.dtype);
  const auto lost = [](const TensorSlope& s) { return !(s.slope > 0.5); };
  if (!slopes.empty() && std::ranges::all_of(slopes, lost))
    throw ConfigError(
        fmt::format("[optimizer] epsilon: {:g} is lost where {} rounds it away, in every matrix "
                    "that trains: nothing can be learned; give a larger one (1e-3 is usual)",
                    epsilon, dtype));
  return lost_perturbations(std::move(slopes), epsilon, dtype);
}

}  // namespace mezo
