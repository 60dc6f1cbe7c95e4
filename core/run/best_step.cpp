#include "core/run/best_step.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/read_file.h"

namespace mezo {

const Metric* judge_of(Keep keep, const Task& task) {
  if (keep == Keep::last) return nullptr;
  const std::string name = keep == Keep::best_loss ? "loss" : task.metric;
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
  using Json = nlohmann::ordered_json;
  const std::filesystem::path file = folder / "result.json";
  std::error_code none;
  if (!std::filesystem::exists(file, none)) return {};
  const Json json = json_of<RunError, Json>(read_file<RunError>(file, most_text, "[replay] "),
                                            "[replay] " + file.string());
  const auto best = json.is_object() ? json.find("best_step") : json.end();
  if (!json.is_object() || (best != json.end() && !best->is_number_unsigned()))
    throw RunError("[replay] " + file.string() + ": expected the result of a run");
  if (best == json.end()) return {};
  return best->get<std::uint32_t>();
}

}  // namespace mezo
