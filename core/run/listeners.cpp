#include "core/run/listeners.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/answer/evaluate.h"
#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/record/result.h"
#include "core/run/measure.h"

namespace mezo {

bool StepLog::after(const StepReport& report) {
  const StepOutcome& o = report.outcome;
  if (o.applied) smoothed_ = smoothed_ ? 0.95 * *smoothed_ + 0.05 * o.loss : o.loss;
  const std::span gradients = std::span(o.scalars).first(o.projected_gradients);
  if (report.step % trainer_.log_every == 0 || report.step == trainer_.steps || !o.applied) {
    nlohmann::ordered_json line = {{"step", report.step}, {"loss", o.loss}};
    if (!gradients.empty())
      line["projected_gradient"] = std::vector<float>(gradients.begin(), gradients.end());
    line["learning_rate"] = report.learning_rate;
    if (!o.applied) line["applied"] = false;
    folder_.metric(line);
    folder_.timing({{"step", report.step}, {"training_seconds", clock_.seconds()}});
  }
  examples_ += static_cast<std::int64_t>(report.examples);
  const double speed = static_cast<double>(examples_) / clock_.of_session();
  std::vector<std::string> details = {
      fmt::format("loss {:.3f}", smoothed_.value_or(std::numeric_limits<double>::quiet_NaN()))};
  if (!gradients.empty()) details.push_back(fmt::format("g {:+.2f}", gradients.front()));
  details.push_back(fmt::format("{:.{}f} examples/s", speed, speed < 100 ? 1 : 0));
  progress_.show(report.step, details);
  return true;
}

bool DevEvaluation::after(const StepReport& report) {
  if (due(report.step) && !Interrupt::stop()) evaluate_at(report.step);
  return true;
}

bool DevEvaluation::due(std::uint32_t step) const {
  const std::int64_t every = trainer_.eval_every;
  const bool last = trainer_.keep != Keep::last && step == trainer_.steps;
  return dev_ && every > 0 && (last || step % every == 0);
}

void DevEvaluation::catch_up(std::uint32_t step) {
  if (step > 0 && due(step)) evaluate_at(step);
}

void DevEvaluation::evaluate_at(std::uint32_t step) {
  const Stopwatch evaluation;
  if (weights_) weights_->apply_pending();
  const Evaluation dev =
      evaluate_split(model_, *dev_, [](std::size_t, std::size_t) { return !Interrupt::stop(); });
  if (!Interrupt::stop()) {
    const nlohmann::ordered_json scores = scores_of(dev);
    folder_.metric({{"step", step}, {"dev", scores}});
    best_.see(step, scores);
    progress_.note(fmt::format("step {}: dev {}", step, text_of(dev)));
  }
  clock_.leave_out(evaluation.seconds());
}

bool TrajectoryRecord::after(const StepReport& report) {
  writer_.add(report.outcome.scalars);
  if (writer_.due()) flush();
  return true;
}

void TrajectoryRecord::flush() {
  folder_.sync_lines();
  writer_.flush();
}

namespace {

std::span<const float> gradients_of(const StepOutcome& outcome) {
  return std::span(outcome.scalars).first(outcome.projected_gradients);
}

}  // namespace

bool DivergenceGuard::after(const StepReport& report) {
  const bool before = watch_.diverged().has_value();
  const StepOutcome& o = report.outcome;
  watch_.see({report.step, o.loss, o.applied, !saw_no_difference(gradients_of(o))});
  if (before || !watch_.diverged()) return true;
  folder_.metric(
      {{"step", report.step}, {"diverged", *watch_.diverged()}, {"last_good", watch_.last_good()}});
  if (!stops_)
    progress_.note(
        fmt::format("warning: step {}: the run has diverged: {}", report.step, *watch_.diverged()));
  check(report.step);
  return true;
}

void DivergenceGuard::check(std::uint32_t step) const {
  if (!watch_.diverged() || !stops_) return;
  if (record_) record_->flush();
  throw RunError(
      fmt::format("[run] the run has diverged at step {}: {}.\n{}\nLogged steps are in {}", step,
                  *watch_.diverged(), advice(), folder_.path()));
}

std::string DivergenceGuard::advice() const {
  if (!watch_.ever_applied() && dtype_ != at::kFloat)
    return "  no step was finite, not even the first: computing in 16 bits overflows. Try "
           "model.dtype=float32";
  std::string text =
      fmt::format("  try a smaller optimizer.learning_rate{}; trainer.guard=off goes on regardless",
                  record_ ? " (or epsilon)" : "");
  if (record_ && watch_.last_good() > 0)
    text += fmt::format(
        "\n  step {0} was last good: `mezo export {1} FOLDER --step {0}` writes its "
        "weights, and a run with model.path=FOLDER goes on from them",
        watch_.last_good(), folder_.path());
  return text;
}

bool ResolutionWarning::after(const StepReport& report) {
  constexpr std::uint32_t first_steps = 10;
  if (report.step > first_steps) return true;
  for (std::size_t i = 0; i < report.outcome.projected_gradients; ++i)
    slopes_.push_back({report.outcome.loss, report.outcome.scalars[i]});
  if (report.step < first_steps) return true;
  if (const std::string lost = lost_in_the_loss(slopes_, epsilon_); !lost.empty())
    progress_.note("warning: " + lost);
  return true;
}

bool StepCount::after(const StepReport& report) {
  counts_.add(report.outcome.applied, gradients_of(report.outcome));
  return true;
}

bool StopAtSignal::after(const StepReport&) { return !Interrupt::stop(); }

}  // namespace mezo
