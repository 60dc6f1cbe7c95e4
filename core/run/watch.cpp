#include "core/run/watch.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/answer/evaluate.h"
#include "core/error.h"
#include "core/run/interrupt.h"
#include "core/run/result.h"

namespace mezo {

namespace {

// Steps in a row whose loss is not finite before a run is given up.
constexpr std::uint32_t most_unapplied = 10;

}  // namespace

Watch::Watch(RunFolder& folder, const RunConfig& config, const LoadedModel& model,
             ExactWeights& weights, const Datasets& data, Start& start)
    : folder_(folder),
      model_(model),
      weights_(weights),
      data_(data),
      from_(start),
      total_(config.trainer.integer("steps")),
      log_every_(config.trainer.integer("log_every")),
      eval_every_(config.trainer.integer("eval_every")),
      progress_("training", "step", total_, start.step),
      smoothed_(std::numeric_limits<double>::quiet_NaN()),
      unapplied_(start.unapplied) {}

void Watch::catch_up() {
  guard_against_divergence(from_.step);
  if (from_.step > 0 && !from_.dev && dev_is_due(from_.step)) evaluate_dev(from_.step);
}

bool Watch::operator()(const StepReport& report) {
  log(report);
  if (dev_is_due(report.step) && !Interrupt::stop()) evaluate_dev(report.step);
  record(report);
  guard_against_divergence(report.step);
  return !Interrupt::stop();
}

void Watch::record(const StepReport& report) {
  unapplied_ = report.estimate.applied ? 0 : unapplied_ + 1;
  from_.writer.add(report.estimate.projected_gradients);
  if (!from_.writer.due() && unapplied_ < most_unapplied) return;
  folder_.sync_lines();
  from_.writer.flush();
}

bool Watch::dev_is_due(std::uint32_t step) const {
  return data_.dev && eval_every_ > 0 && step % eval_every_ == 0;
}

double Watch::training_seconds() const {
  return from_.training_seconds + clock_.seconds() - evaluating_;
}

void Watch::log(const StepReport& report) {
  const SpsaStep& e = report.estimate;
  if (e.applied) smoothed_ = std::isnan(smoothed_) ? e.loss : 0.95 * smoothed_ + 0.05 * e.loss;
  if (report.step % log_every_ == 0 || report.step == total_ || !e.applied) {
    nlohmann::ordered_json line = {{"step", report.step},
                                   {"loss", e.loss},
                                   {"projected_gradient", e.projected_gradients},
                                   {"learning_rate", report.learning_rate}};
    if (!e.applied) line["applied"] = false;
    folder_.metric(line);
    folder_.timing({{"step", report.step}, {"training_seconds", training_seconds()}});
  }
  examples_ += static_cast<std::int64_t>(report.examples);
  const double speed = static_cast<double>(examples_) / (clock_.seconds() - evaluating_);
  progress_.show(report.step, {fmt::format("loss {:.3f}", smoothed_),
                               fmt::format("g {:+.2f}", e.projected_gradients.front()),
                               fmt::format("{:.{}f} examples/s", speed, speed < 100 ? 1 : 0)});
}

void Watch::guard_against_divergence(std::uint32_t step) {
  if (unapplied_ >= most_unapplied)
    throw RunError(
        fmt::format("[run] the loss was not finite for {} steps in a row, up to step {}; the run "
                    "diverged. Try a smaller "
                    "learning_rate (or epsilon). Logged steps are in {}",
                    unapplied_, step, folder_.path()));
}

void Watch::evaluate_dev(std::uint32_t step) {
  const Stopwatch evaluation;
  weights_.settle();
  const Evaluation dev = evaluate(model_, data_.dev->examples, data_.dev->metrics,
                                  [](std::size_t, std::size_t) { return !Interrupt::stop(); });
  if (!Interrupt::stop()) {
    folder_.metric({{"step", step}, {"dev", scores_of(dev)}});
    progress_.note(fmt::format("step {}: dev {}", step, text_of(dev)));
  }
  evaluating_ += evaluation.seconds();
}

}  // namespace mezo
