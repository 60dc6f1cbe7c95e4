#pragma once
// What hangs on a training run's steps: the lines of metrics.jsonl and timing.jsonl, the progress
// line, evaluation of dev, the trajectory, the guard against divergence, and the end that a signal
// asks for. The loop itself (trainer.h) knows none of it.
//
// The trajectory comes after the lines of the same step: whenever it holds so many steps,
// metrics.jsonl holds all that is to be said of them.

#include "core/run/datasets.h"
#include "core/run/progress.h"
#include "core/run/resume.h"
#include "core/run/run_folder.h"
#include "core/run/stopwatch.h"
#include "core/run/trainer.h"

namespace mezo {

class Watch {
 public:
  Watch(RunFolder& folder, const RunConfig& config, const LoadedModel& model, ExactWeights& weights,
        const Datasets& data, Start& start);

  // What a run that goes on still owes of the step it goes on from: an evaluation of dev that a
  // signal cut short. Throws as the steps do.
  void catch_up();

  // An OnStep: false ends the training. Throws RunError when the loss was not finite for ten steps
  // in a row.
  bool operator()(const StepReport& report);

  // Without the evaluations of dev, and with what the steps before the start took.
  double training_seconds() const;

 private:
  void log(const StepReport& report);
  void record(const StepReport& report);
  void guard_against_divergence(std::uint32_t step);
  bool dev_is_due(std::uint32_t step) const;
  void evaluate_dev(std::uint32_t step);

  RunFolder& folder_;
  const LoadedModel& model_;
  ExactWeights& weights_;
  const Datasets& data_;
  Start& from_;
  std::int64_t total_, log_every_, eval_every_;
  Progress progress_;
  Stopwatch clock_;
  double smoothed_;  // the loss, averaged for the eye
  double evaluating_ = 0;
  std::int64_t examples_ = 0;
  std::uint32_t unapplied_;  // steps in a row
};

}  // namespace mezo
