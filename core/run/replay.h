#pragma once
// Base weights and a trajectory give the weights of any step, bit for bit, without a forward: each
// step's update is worked out by the estimator that training used and applied by the same kernel,
// many steps in one pass over a tensor. Used by a resume, by `mezo replay`, and by whatever else
// wants a run's weights.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/config/overrides.h"
#include "core/console/console.h"
#include "core/plugin/search.h"
#include "core/zo/estimator.h"
#include "core/zo/exact_weights.h"
#include "core/zo/step_counts.h"
#include "core/zo/trajectory.h"

namespace mezo {

// Called now and then with how many steps are done; false stops.
using ReplayProgress = std::function<bool(std::uint32_t done)>;

struct Replayed {
  bool whole = true;  // false: it was stopped, and the weights are of some earlier step
  StepCounts counts;  // of the steps that were taken
  std::unique_ptr<Estimator> estimator = {};  // of the latest segment; none if that has no steps
};

// Takes steps 0 .. `steps` on `weights`, whose store holds the base, and applies them. Throws
// ConfigError for a recorded configuration that this mezo cannot read.
MEZO_API Replayed replay(const Trajectory& trajectory, ExactWeights& weights, std::uint32_t steps,
                         const ReplayProgress& progress = {});

// The estimator that takes the step behind the first `steps`, as those left it. Throws ConfigError
// as replay() does.
std::unique_ptr<Estimator> estimator_after(const Trajectory& trajectory, std::uint32_t steps);

struct ReplayRequest {
  std::string run;  // a run folder, or a trajectory file
  std::vector<Argument> overrides;
  std::vector<PluginFolder> plugin_folders;
  std::optional<std::int64_t> step;  // none: the one that the run keeps, its last or its best
  bool last = false;                 // none: the last, whichever is kept
  // Blocks that no weight follows from and that may be given anew, by who uses the weights.
  std::vector<std::string> free_blocks = {};
  std::function<void(const LoadedModel&)> check =
      {};  // called before the replay, which may be long
};

// A run's weights: the model that its trajectory names (or `model.path=…` does) after `step` steps.
struct ReplayedRun {
  Trajectory trajectory;
  LoadedModel model;
  std::uint32_t step = 0;
  Value tree;  // the recorded configuration, with the overrides
};

// Gives `model`, which was just loaded by the recorded settings, the weights of a step of the run
// in `folder`, behind a progress bar. Throws as replay_run() does.
void take_back(const Trajectory& trajectory, const std::filesystem::path& folder,
               LoadedModel& model, std::uint32_t step, Console& console);

// Throws RunError, with what to do, where there is no such run or step or a signal stopped it;
// ConfigError for overrides that would change what was recorded; ModelError where the model is not
// the trajectory's base; PluginError where the family or the mode is not there any more.
MEZO_API ReplayedRun replay_run(const ReplayRequest& request, Console& console);

// Says the step and the hash of its weights. With `verify` the hash must be the one that the run
// recorded when it ended there, else RunError.
MEZO_API void report_replay(const ReplayRequest& request, bool verify, Console& console);

}  // namespace mezo
