#include "core/run/training_run.h"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "core/checkpoint/weights_hash.h"
#include "core/machine/memory_use.h"
#include "core/run/adapter_folder.h"
#include "core/run/interrupt.h"
#include "core/run/lost_perturbations.h"
#include "core/run/measure.h"
#include "core/run/placement.h"
#include "core/run/rounding_noise.h"
#include "core/run/trainer.h"
#include "core/run/watch.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

bool trains_in(Storage storage, const LoadedModel& model) {
  for (std::size_t i = 0; i < model.trained.size(); ++i)
    if (model.trained[i] && model.store.stored({static_cast<int>(i)}).storage == storage)
      return true;
  return false;
}

class TrainingRun : RunParts {
 public:
  explicit TrainingRun(const RunParts& parts) : RunParts(parts) {}
  bool train_and_report(const TrajectoryHeader& origin,
                        const std::optional<Resumption>& resumption);

 private:
  Start prepare(const TrajectoryHeader& origin, const std::optional<Resumption>& resumption,
                ExactWeights& weights);
  void report(const Evaluation& after, std::uint32_t steps, double seconds,
              const MemoryUse& memory);

  Json before_ = nullptr;
  std::optional<Evaluation> measured_before_;  // unless an earlier session did it
};

// Base weights are measured before the past is replayed onto them, and a new run's folder is made
// its own before anything takes long.
Start TrainingRun::prepare(const TrajectoryHeader& origin,
                           const std::optional<Resumption>& resumption, ExactWeights& weights) {
  const auto flush_every = static_cast<std::uint32_t>(config.trainer.integer("flush_every"));
  std::optional<Start> start;
  if (!resumption) start.emplace(start_new(folder, origin, model, flush_every));
  if (resumption) before_ = resumption->log.before;
  if (before_.is_null()) {
    measured_before_ = measure(model, data.measured(), "before", 0);
    before_ = scores_of(*measured_before_);
  }
  if (resumption)
    start.emplace(start_again(folder, origin, flush_every, *resumption, weights, model.store));
  if (measured_before_ && !Interrupt::stop()) folder.metric({{"step", 0}, {"before", before_}});
  return std::move(*start);
}

bool TrainingRun::train_and_report(const TrajectoryHeader& origin,
                                   const std::optional<Resumption>& resumption) {
  TrainerOptions trainer = trainer_options(config);
  trainer.spsa.together = streams_together(config, model);
  fmt::print(stderr, "training: {} steps of {} examples, learning rate {:g}, epsilon {:g}\n",
             trainer.schedule.steps, trainer.batch_size, trainer.schedule.learning_rate,
             trainer.spsa.epsilon);
  if (trains_in(Storage::bfloat16, model))
    fmt::print(stderr, "{}\n", bfloat16_warning(trainer.schedule));
  const ExactOptions exact = exact_options(config, model);
  warn_of_lost_perturbations(model.store, model.trained, exact, trainer.spsa.epsilon);
  ExactWeights weights(model.store, model.trained, exact);
  Start start = prepare(origin, resumption, weights);
  std::uint32_t steps = trainer.first_step = start.step;
  double seconds = start.training_seconds;
  if (!Interrupt::stop()) {
    Watch watch(folder, config, model, weights, data, start);
    watch.catch_up();
    if (!Interrupt::stop())
      steps = train(model.network, weights, *config.objective_function, config.objective_component,
                    data.train->examples, trainer, std::ref(watch));
    seconds = watch.training_seconds();
  }
  weights.settle();
  folder.sync_lines();
  start.writer.end(hash_of_all(model.store, hash_parameters(model.store)));
  const int signals = Interrupt::signals();
  if (signals > 0)
    fmt::print(stderr, "interrupted after {} steps{}\n", steps,
               steps ? "; evaluating what was learned (once more: skip this)" : "");
  const Evaluation after = steps == 0 && signals > 0 && measured_before_
                               ? *measured_before_
                               : measure(model, data.measured(), "after", signals);
  report(after, steps, seconds,
         memory_use(model.store.device(), model.store.bytes(), weights.scratch_bytes()));
  return !Interrupt::stop();
}

void TrainingRun::report(const Evaluation& after, std::uint32_t steps, double seconds,
                         const MemoryUse& memory) {
  Json result =
      describe_run(config, model, hashes, "mezo " + std::string(config.peft_mode.component.id()));
  result["before"] = before_;
  result["after"] = scores_of(after);
  result["steps"] = steps;
  result["interrupted"] = Interrupt::stop();
  result["seconds"] = seconds;
  result["seconds_per_step"] = steps ? seconds / steps : 0;
  result.update(memory.json());
  // First: a full disk must not cost the numbers.
  print_table(config, model, result, memory);
  write_predictions(folder, after, *config.task_file);
  keep_adapter(model, folder.file("adapter"));
  folder.write_result(result);
  fmt::print("{}\n", folder.path());
}

}  // namespace

bool train_and_report(const RunParts& parts, const TrajectoryHeader& origin,
                      const std::optional<Resumption>& resumption) {
  return TrainingRun(parts).train_and_report(origin, resumption);
}

}  // namespace mezo
