#pragma once
// The part of a run that trains: measure, train with whoever listens, measure again.

#include <nlohmann/json.hpp>
#include <optional>

#include "core/answer/evaluate.h"
#include "core/checkpoint/load_model.h"
#include "core/machine/memory_use.h"
#include "core/run/best_step.h"
#include "core/run/datasets.h"
#include "core/run/resume.h"
#include "core/settings/run_config.h"
#include "core/zo/estimator.h"
#include "core/zo/step_counts.h"

namespace mezo {

// Everything that a training run has read and checked.
struct RunParts {
  const RunConfig& config;
  RunFolder& folder;
  const Datasets& data;
  LoadedModel& model;
  const TrajectoryHeader& provenance;
  std::unique_ptr<Estimator> estimator;
  Console& console;
};

struct Trained {
  nlohmann::ordered_json before;  // scores_of() the measurement before the first step
  Evaluation after;               // of the last step's weights; none where another step is kept
  std::optional<ScoredStep> best = {};  // whose weights are the run's, where the best is kept
  std::uint32_t steps = 0;
  StepCounts counts;  // of all of them
  // That the steps took (forward_passes.h); nothing where there are no steps to take.
  std::optional<std::uint64_t> forward_passes = {};
  double seconds = 0;  // of training alone, earlier sessions' included
  MemoryUse memory;
  nlohmann::ordered_json probe =
      {};                    // of a linear probe: the strength that was chosen, and by what
  bool keeps_model = false;  // the run folder's `model` is to hold what was trained
  std::optional<GenerationCost> texts = {};  // of training, where the objective asks for them

  bool goes_back() const { return best && best->step < steps; }
};

// From the start, or from where the resumed run was. A signal ends it early; what was learned until
// then is measured, the last step's weights even where the best is to be kept. Throws RunError
// where the loss stays non-finite.
Trained train_model(RunParts parts, const std::optional<Resumption>& resumption);

}  // namespace mezo
