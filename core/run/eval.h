#pragma once
// `mezo eval`: the model of a configuration as it is, or what a run trained, on examples. Leaves a
// run folder with predictions.jsonl and result.json.

#include <optional>
#include <string>
#include <vector>

#include "core/run/replay.h"
#include "core/run/run.h"

namespace mezo {

// Evaluates the base model, or the adapter that peft.adapter names.
MEZO_API RunResult evaluate_only(const RunConfig& config, Earlier earlier, Console& console);

struct RunEvaluation {
  ReplayRequest weights;  // of which run, after which step; overrides may be of any kind
  std::vector<std::string> task_folders;
  Earlier earlier = Earlier::keep;
};

// Evaluates a run's weights after a step, by its own configuration and what is laid over that. The
// result goes to eval or eval-STEP in the run's folder, unless `output` is given. Data and task are
// checked before the replay. Throws what run() and replay_run() throw.
MEZO_API RunResult evaluate_run(const RunEvaluation& request, Console& console);

}  // namespace mezo
