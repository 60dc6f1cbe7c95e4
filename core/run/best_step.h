#pragma once
// Which step of a run is best on dev: its weights are the run's where `trainer.keep` says so. It is
// kept as a number, since the trajectory gives the weights of any step. Steps count that dev was
// evaluated after, in whichever session; step 0 never is.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/settings/run_settings.h"
#include "core/task/metrics.h"
#include "core/task/task.h"

namespace mezo {

// What decides between steps; null where the last step is kept, or evaluations of the task have no
// loss and that was asked for.
const Metric* judge_of(Keep keep, const Task& task);

struct ScoredStep {
  std::uint32_t step = 0;
  nlohmann::ordered_json scores;  // of dev, by the metrics' names
};

class BestStep {
 public:
  BestStep(Keep keep, const Task& task) : judge_(judge_of(keep, task)) {}

  // Of steps in their order: of equals the first is best. A score that is no number never is.
  void see(std::uint32_t step, const nlohmann::ordered_json& scores);

  // Nothing where the last step is kept, or none had a score yet.
  const std::optional<ScoredStep>& best() const { return best_; }

 private:
  const Metric* judge_;
  std::optional<ScoredStep> best_;
};

// What a run's result.json says; nothing where it has none, or the last step is kept. Throws
// RunError for a file that is no result.
std::optional<std::uint32_t> best_in_result(const std::filesystem::path& folder);

}  // namespace mezo
