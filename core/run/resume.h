#pragma once
// Going on with a run that was killed, interrupted, or is to have more steps: may it, and from
// where. The trajectory in the run folder says what was done; nothing in the folder changes before
// the weights are back where they were.

#include <memory>
#include <optional>
#include <string>

#include "core/checkpoint/load_model.h"
#include "core/record/run_folder.h"
#include "core/record/run_log.h"
#include "core/settings/run_config.h"
#include "core/zo/estimator.h"
#include "core/zo/exact_weights.h"
#include "core/zo/step_counts.h"
#include "core/zo/trajectory_writer.h"

namespace mezo {

struct Resumption {
  Trajectory past;
  RunLog log;
  bool changed = false;  // what follows is another segment
};

// What the folder holds of an earlier run; nullopt, and a line for the user, where that is nothing.
std::optional<Resumption> find_resumption(const RunFolder& folder, Console& console);

// Compares the run with how it is asked for now. What decides nothing, places, and the future
// (which sets `changed`) may differ (core/settings/host_rows.h). Throws ConfigError naming the
// settings that must not, ModelError for another base model, DataError for other data. Another
// machine is noted.
void check_resumption(Resumption& resumption, const TrajectoryHeader& now, const RunConfig& config,
                      Console& console);

// result.json of a training that was not cut short; nothing where there is none.
std::optional<nlohmann::ordered_json> whole_result(const RunFolder& folder);

// Where training starts, or goes on.
struct Start {
  TrajectoryWriter writer;
  std::uint32_t step = 0;                     // steps done before
  double training_seconds = 0;                // that they took
  StepCounts counts = {};                     // of them
  bool dev = false;                           // dev was evaluated after the last of them
  std::unique_ptr<Estimator> estimator = {};  // that knows them; none: a new one begins
};

// `model` is as training starts.
Start start_new(RunFolder& folder, const TrajectoryHeader& provenance, const LoadedModel& model,
                std::uint32_t flush_every);

// Takes the steps of the past again on `weights`, which hold the base, then opens the folder's
// files for what follows. Throws RunError if a signal came meanwhile, or the weights are not those
// that the run had.
Start start_again(RunFolder& folder, const TrajectoryHeader& now, std::uint32_t flush_every,
                  const Resumption& resumption, ExactWeights& weights, const ParameterStore& store,
                  Console& console);

}  // namespace mezo
