#include "core/run/best_step.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/record/read_result.h"

namespace mezo {

const Metric* judge_of(Keep keep, const Task& task) {
  if (keep == Keep::last) return nullptr;
  const std::string name = keep == Keep::best_loss ? "cross_entropy" : task.metric;
  const std::vector<const Metric*> reported = metrics_for(task.metric);
  const auto judge =
      std::ranges::find_if(reported, [&](const Metric* m) { return m->name == name; });
  return judge == reported.end() ? nullptr : *judge;
}

void BestStep::see(std::uint32_t step, const nlohmann::ordered_json& scores) {
  if (!judge_) return;
  const auto number = [&](const nlohmann::ordered_json& of) {
    const auto score = of.find(judge_->name);
    return score != of.end() && score->is_number() ? score->get<double>() : std::nan("");
  };
  const double now = number(scores);
  if (std::isnan(now)) return;
  const double before = best_ ? number(best_->scores) : now;
  if (!best_ || (judge_->higher_is_better ? now > before : now < before)) best_ = {step, scores};
}

std::optional<std::uint32_t> best_in_result(const std::filesystem::path& folder) {
  const auto result = read_result(folder);
  if (!result || !result->contains("best_step")) return {};
  const auto& step = result->at("best_step");
  if (!step.is_number_unsigned())
    throw RunError("[run] " + (folder / "result.json").string() + ": best_step must be a step");
  return step.get<std::uint32_t>();
}

}  // namespace mezo
