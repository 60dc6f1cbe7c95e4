#include "core/run/training.h"

#include <fmt/format.h>

#include "core/checkpoint/weights_hash.h"
#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/forward/held_source.h"
#include "core/record/result.h"
#include "core/run/generation_rules.h"
#include "core/run/listeners.h"
#include "core/run/lost_perturbations.h"
#include "core/run/measure.h"
#include "core/run/placement.h"
#include "core/run/rounding_noise.h"
#include "core/settings/resolved.h"

namespace mezo {

namespace {

bool trains_in(Storage storage, const LoadedModel& model) {
  for (std::size_t i = 0; i < model.trained.size(); ++i)
    if (model.trained[i] && model.store.stored({static_cast<int>(i)}).storage == storage)
      return true;
  return false;
}

class Training {
 public:
  Training(RunParts parts, const std::optional<Resumption>& resumption)
      : run_(std::move(parts)),
        resumption_(resumption),
        settings_(run_.config.settings),
        schedule_(
            schedule_of(settings_.optimizer, settings_.trainer, learning_rate_of(run_.config))),
        exact_(exact_options(settings_.optimizer, settings_.trainer, run_.model.dtype)),
        weights_(run_.model.store, run_.model.trained, exact_),
        best_(settings_.trainer.keep, run_.config.task) {
    if (resumption_)
      for (const LoggedDev& dev : resumption_->log.devs) best_.see(dev.step, dev.scores);
    if (needs_of(run_.config.objective).texts)
      generator_.emplace(run_.model.network, run_.model.specs, run_.model.tokenizer,
                         rules_of(settings_.generation, &run_.config.task, run_.model),
                         run_.model.max_positions);
  }

  Trained train();

 private:
  void announce() const;
  std::string cost_of_texts() const;
  Start start();
  void take_steps(Start& start);
  DivergenceWatch watch_of_the_past() const;

  RunParts run_;
  const std::optional<Resumption>& resumption_;
  const RunSettings& settings_;
  Schedule schedule_;
  ExactOptions exact_;
  ExactWeights weights_;
  BestStep best_;
  std::optional<Generator> generator_;         // where the objective asks for texts
  std::optional<Evaluation> measured_before_;  // unless an earlier session did it
  Trained result_;
};

void Training::announce() const {
  if (schedule_.steps == 0) return;
  run_.console.say(fmt::format(
      "training: {} steps of {} examples, learning rate {:g}, epsilon {:g}", schedule_.steps,
      settings_.trainer.batch_size, schedule_.learning_rate, run_.estimator->epsilon()));
  if (trains_in(Storage::bfloat16, run_.model)) run_.console.say(bfloat16_warning(schedule_));
  if (generator_) run_.console.say(cost_of_texts());
  const std::string lost = lost_perturbations(run_.model, exact_, run_.estimator->epsilon());
  if (!lost.empty()) run_.console.warning(lost);
}

std::string Training::cost_of_texts() const {
  const std::int64_t bytes = held_bytes(weights_, run_.model.specs);
  const at::Device device = run_.model.store.device();
  const std::string copies =
      bytes == 0 ? "; no copy of the weights"
                 : fmt::format("; copies of the perturbed weights, {:.2f} GB a stream, {}",
                               static_cast<double>(bytes) / 1e9,
                               copies_at_once(bytes, 2, device) == 2   ? "two at once"
                               : copies_at_once(bytes, 1, device) == 1 ? "one after the other"
                                                                       : "do not fit: each token "
                                                                         "makes them anew");
  return fmt::format("texts: up to {} tokens for each of {} examples, under each stream{}",
                     generator_->rules().ends.max_new_tokens, settings_.trainer.batch_size, copies);
}

// Base weights are measured before the past is replayed onto them, and a new run's folder is made
// its own before anything takes long.
Start Training::start() {
  const std::uint32_t flush_every = settings_.trainer.flush_every;
  std::optional<Start> start;
  if (!resumption_)
    start.emplace(start_new(run_.folder, run_.provenance, run_.model, flush_every));
  else
    result_.before = resumption_->log.before;
  if (result_.before.is_null()) {
    measured_before_ = measure(run_.model, run_.data.measured(), "before", 0, run_.console);
    result_.before = scores_of(*measured_before_);
  }
  if (resumption_)
    start.emplace(start_again(run_.folder, run_.provenance, flush_every, *resumption_, weights_,
                              run_.model.store, run_.console));
  if (measured_before_ && !Interrupt::stop())
    run_.folder.metric({{"step", 0}, {"before", result_.before}});
  return std::move(*start);
}

// What changes begins anew: a diverged run may be helped by it.
DivergenceWatch Training::watch_of_the_past() const {
  DivergenceWatch watch(chance_of(run_.data.train->to_train_on()));
  if (resumption_ && !resumption_->changed)
    for (const LoggedStep& step : resumption_->log.steps)
      if (step.step > resumption_->past.latest().first_step) watch.see(step);
  return watch;
}

void Training::take_steps(Start& start) {
  if (start.estimator) run_.estimator = std::move(start.estimator);  // it knows the past
  TrainingClock clock(start.training_seconds);
  Progress progress(run_.console, "training", "step", schedule_.steps, start.step);
  StepLog log(run_.folder, progress, clock, settings_.trainer);
  DevEvaluation dev(run_.folder, progress, clock, run_.model, &weights_, run_.data.dev,
                    settings_.trainer, best_);
  TrajectoryRecord record(run_.folder, start.writer);
  DivergenceGuard guard(run_.folder, progress, &record, watch_of_the_past(),
                        settings_.trainer.guard, run_.model.dtype);
  ResolutionWarning resolution(progress, run_.estimator->epsilon());
  StepCount count(result_.counts);
  StopAtSignal stop;
  guard.check(start.step);
  if (!start.dev) dev.catch_up(start.step);
  if (!Interrupt::stop()) {
    ZeroOrderStep maker(run_.model.network, run_.config.objective, weights_, *run_.estimator,
                        settings_.trainer.micro_batch, generator_ ? &*generator_ : nullptr);
    StepListener* const listeners[] = {&log, &dev, &record, &count, &resolution, &guard, &stop};
    try {
      result_.steps = mezo::train(
          maker, run_.data.train->to_train_on(),
          {start.step, settings_.trainer.batch_size, settings_.trainer.seed, schedule_}, listeners);
    } catch (const Error&) {
      record.flush();  // what was done before stays done, and can be resumed
      throw;
    }
  }
  result_.seconds = clock.seconds();
}

Trained Training::train() {
  announce();
  Start begin = start();
  result_.steps = begin.step;
  result_.counts = begin.counts;
  result_.seconds = begin.training_seconds;
  if (!Interrupt::stop() && schedule_.steps > 0) take_steps(begin);
  weights_.apply_pending();
  run_.folder.sync_lines();
  begin.writer.end(hash_of_all(run_.model.store, hash_parameters(run_.model.store)));
  const int signals = Interrupt::signals();
  if (signals > 0)
    run_.console.say(
        fmt::format("interrupted after {} steps{}", result_.steps,
                    result_.steps ? "; evaluating what was learned (once more: skip this)" : ""));
  if (signals == 0) result_.best = best_.best();
  if (!result_.goes_back())
    result_.after = result_.steps == 0 && measured_before_
                        ? *measured_before_
                        : measure(run_.model, run_.data.measured(), "after", signals, run_.console);
  if (generator_) {
    result_.texts = generator_->cost();
    run_.console.say("texts: " + text_of(*result_.texts));
  }
  result_.memory =
      memory_use(run_.model.store.device(), run_.model.store.bytes(), weights_.scratch_bytes());
  return std::move(result_);
}

}  // namespace

Trained train_model(RunParts parts, const std::optional<Resumption>& resumption) {
  return Training(std::move(parts), resumption).train();
}

}  // namespace mezo
