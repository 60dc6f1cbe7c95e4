#pragma once
// What hangs on a training run's steps, each of them alone: its log, evaluation of dev, the
// trajectory, the guard against divergence, and the end that a signal asks for. A run composes them
// (training.cpp), in this order: whenever the trajectory holds so many steps, metrics.jsonl holds
// all that is to be said of them.

#include "core/console/progress.h"
#include "core/record/run_folder.h"
#include "core/run/best_step.h"
#include "core/run/datasets.h"
#include "core/run/divergence.h"
#include "core/run/loss_resolution.h"
#include "core/settings/run_settings.h"
#include "core/train/trainer.h"
#include "core/zo/exact_weights.h"
#include "core/zo/step_counts.h"
#include "core/zo/trajectory_writer.h"

namespace mezo {

// Time that training takes, without the evaluations in between.
class TrainingClock {
 public:
  explicit TrainingClock(double before) : before_(before) {}  // of earlier sessions
  void leave_out(double seconds) { left_out_ += seconds; }
  double of_session() const { return clock_.seconds() - left_out_; }
  double seconds() const { return before_ + of_session(); }

 private:
  Stopwatch clock_;
  double before_, left_out_ = 0;
};

// Lines of metrics.jsonl and timing.jsonl, and the progress line.
class StepLog : public StepListener {
 public:
  StepLog(RunFolder& folder, Progress& progress, const TrainingClock& clock,
          const TrainerSettings& trainer)
      : folder_(folder), progress_(progress), clock_(clock), trainer_(trainer) {}
  bool after(const StepReport& report) override;

 private:
  RunFolder& folder_;
  Progress& progress_;
  const TrainingClock& clock_;
  const TrainerSettings& trainer_;
  std::optional<double> smoothed_;  // the loss, averaged for the eye
  std::int64_t examples_ = 0;
};

// Dev every so many steps, and at the last one where the best is kept. `weights`: what updates wait
// in; null: they are written at once. A signal that comes meanwhile cuts it short, and nothing is
// written.
class DevEvaluation : public StepListener {
 public:
  DevEvaluation(RunFolder& folder, Progress& progress, TrainingClock& clock,
                const LoadedModel& model, ExactWeights* weights, const std::optional<Split>& dev,
                const TrainerSettings& trainer, BestStep& best)
      : folder_(folder),
        progress_(progress),
        clock_(clock),
        model_(model),
        weights_(weights),
        dev_(dev),
        trainer_(trainer),
        best_(best) {}
  bool after(const StepReport& report) override;

  // What a run that goes on from a step still owes of it: an evaluation that a signal cut short.
  void catch_up(std::uint32_t step);

 private:
  void evaluate_at(std::uint32_t step);
  bool due(std::uint32_t step) const;

  RunFolder& folder_;
  Progress& progress_;
  TrainingClock& clock_;
  const LoadedModel& model_;
  ExactWeights* weights_;
  const std::optional<Split>& dev_;
  const TrainerSettings& trainer_;
  BestStep& best_;
};

// The steps' scalars in trajectory.mezo, after the lines that say the same.
class TrajectoryRecord : public StepListener {
 public:
  TrajectoryRecord(RunFolder& folder, TrajectoryWriter& writer)
      : folder_(folder), writer_(writer) {}
  bool after(const StepReport& report) override;
  void flush();

 private:
  RunFolder& folder_;
  TrajectoryWriter& writer_;
};

// Says in metrics.jsonl, and to the user, that a run has diverged, and stops it: once all is
// recorded it throws RunError with what to do. `stops` false: it goes on.
class DivergenceGuard : public StepListener {
 public:
  // `watch` has seen the steps of earlier sessions. `record`: null where there is no trajectory.
  DivergenceGuard(RunFolder& folder, Progress& progress, TrajectoryRecord* record,
                  DivergenceWatch watch, bool stops, at::ScalarType dtype)
      : folder_(folder),
        progress_(progress),
        record_(record),
        watch_(std::move(watch)),
        stops_(stops),
        dtype_(dtype) {}
  bool after(const StepReport& report) override;

  // Stops a run that had diverged when it ended.
  void check(std::uint32_t step) const;

 private:
  std::string advice() const;

  RunFolder& folder_;
  Progress& progress_;
  TrajectoryRecord* record_;
  DivergenceWatch watch_;
  bool stops_;
  at::ScalarType dtype_;
};

// After a run's first steps, a warning where their losses hardly differ.
class ResolutionWarning : public StepListener {
 public:
  ResolutionWarning(Progress& progress, double epsilon) : progress_(progress), epsilon_(epsilon) {}
  bool after(const StepReport& report) override;

 private:
  Progress& progress_;
  double epsilon_;
  std::vector<Slope> slopes_;
};

class StepCount : public StepListener {
 public:
  explicit StepCount(StepCounts& counts) : counts_(counts) {}
  bool after(const StepReport& report) override;

 private:
  StepCounts& counts_;
};

class StopAtSignal : public StepListener {
 public:
  bool after(const StepReport& report) override;
};

}  // namespace mezo
