#pragma once
// What hangs on a training run's steps, each of them alone: its log, evaluation of dev, the
// trajectory, the guard against divergence, and the end that a signal asks for. A run composes them
// (training.cpp), in this order: whenever the trajectory holds so many steps, metrics.jsonl holds
// all that is to be said of them.

#include "core/console/progress.h"
#include "core/record/run_folder.h"
#include "core/run/datasets.h"
#include "core/settings/run_settings.h"
#include "core/train/trainer.h"
#include "core/zo/exact_weights.h"
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

// Dev every so many steps. A signal that comes meanwhile cuts it short, and nothing is written.
class DevEvaluation : public StepListener {
 public:
  DevEvaluation(RunFolder& folder, Progress& progress, TrainingClock& clock,
                const LoadedModel& model, ExactWeights& weights, const std::optional<Split>& dev,
                std::int64_t every)
      : folder_(folder),
        progress_(progress),
        clock_(clock),
        model_(model),
        weights_(weights),
        dev_(dev),
        every_(every) {}
  bool after(const StepReport& report) override;

  // What a run that goes on from a step still owes of it: an evaluation that a signal cut short.
  void catch_up(std::uint32_t step);

 private:
  void evaluate_at(std::uint32_t step);
  bool due(std::uint32_t step) const { return dev_ && every_ > 0 && step % every_ == 0; }

  RunFolder& folder_;
  Progress& progress_;
  TrainingClock& clock_;
  const LoadedModel& model_;
  ExactWeights& weights_;
  const std::optional<Split>& dev_;
  std::int64_t every_;
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

// Throws RunError when the loss was not finite for ten steps in a row, once all is recorded.
class DivergenceGuard : public StepListener {
 public:
  // `unapplied`: steps in a row, up to the last one of an earlier session.
  DivergenceGuard(TrajectoryRecord& record, std::string folder, std::uint32_t unapplied)
      : record_(record), folder_(std::move(folder)), unapplied_(unapplied) {}
  bool after(const StepReport& report) override;
  void check(std::uint32_t step);

 private:
  TrajectoryRecord& record_;
  std::string folder_;
  std::uint32_t unapplied_;
};

class StopAtSignal : public StepListener {
 public:
  bool after(const StepReport& report) override;
};

}  // namespace mezo
