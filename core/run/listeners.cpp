#include "core/run/listeners.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/answer/evaluate.h"
#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/record/result.h"

namespace mezo {

namespace {

// Steps in a row whose loss is not finite before a run is given up.
constexpr std::uint32_t most_unapplied = 10;

}  // namespace

bool StepLog::after(const StepReport& report) {
  const StepOutcome& o = report.outcome;
  if (o.applied) smoothed_ = smoothed_ ? 0.95 * *smoothed_ + 0.05 * o.loss : o.loss;
  const std::span gradients = std::span(o.scalars).first(o.projected_gradients);
  if (report.step % trainer_.log_every == 0 || report.step == trainer_.steps || !o.applied) {
    nlohmann::ordered_json line = {{"step", report.step}, {"loss", o.loss}};
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

void DevEvaluation::catch_up(std::uint32_t step) {
  if (step > 0 && due(step)) evaluate_at(step);
}

void DevEvaluation::evaluate_at(std::uint32_t step) {
  const Stopwatch evaluation;
  weights_.apply_pending();
  const Evaluation dev = evaluate(model_, dev_->examples, dev_->metrics,
                                  [](std::size_t, std::size_t) { return !Interrupt::stop(); });
  if (!Interrupt::stop()) {
    folder_.metric({{"step", step}, {"dev", scores_of(dev)}});
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

bool DivergenceGuard::after(const StepReport& report) {
  unapplied_ = report.outcome.applied ? 0 : unapplied_ + 1;
  check(report.step);
  return true;
}

void DivergenceGuard::check(std::uint32_t step) {
  if (unapplied_ < most_unapplied) return;
  record_.flush();
  throw RunError(
      fmt::format("[run] the loss was not finite for {} steps in a row, up to step {}; the run "
                  "diverged. Try a smaller "
                  "learning_rate (or epsilon). Logged steps are in {}",
                  unapplied_, step, folder_));
}

bool StopAtSignal::after(const StepReport&) { return !Interrupt::stop(); }

}  // namespace mezo
