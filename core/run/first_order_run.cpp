#include "core/run/first_order_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/checkpoint/export_folder.h"
#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/plugin/create.h"
#include "core/record/result.h"
#include "core/run/listeners.h"
#include "core/run/measure.h"
#include "core/settings/optimizers.h"
#include "core/settings/resolved.h"
#include "core/train/first_order.h"

namespace mezo {

namespace {

bool trains_matrices(const PreparedModel& model) {
  for (std::size_t i = 0; i < model.types.size(); ++i)
    if (model.trained[i] && is_matrix(model.specs[i].role)) return true;
  return false;
}

// What stands there may be anybody's, unless an earlier run wrote it.
void require_own_model_folder(const RunFolder& folder) {
  const std::filesystem::path path = folder.file(model_folder);
  std::error_code none;
  if (std::filesystem::exists(path, none) && !std::filesystem::is_empty(path, none) &&
      !folder.wrote_model())
    throw RunError(
        "[output] " + path.string() +
        " is there already, and the trained model goes there: remove it, or give another "
        "folder with output=…");
}

class FirstOrderRun {
 public:
  explicit FirstOrderRun(const BaselineParts& parts)
      : run_(parts),
        settings_(parts.config.settings),
        schedule_(
            schedule_of(settings_.optimizer, settings_.trainer, learning_rate_of(parts.config))),
        maker_(parts.model.network, parts.config.objective, parts.model.store, parts.model.trained,
               parts.model.dtype,
               adam_options(settings_.optimizer.own, settings_.optimizer.weight_decay),
               settings_.trainer.micro_batch) {}

  Trained train() {
    run_.console.say(fmt::format(
        "training: {} steps of {} examples, learning rate {:g}, by gradients: {:.2f} GB of "
        "gradients and moments",
        schedule_.steps, settings_.trainer.batch_size, schedule_.learning_rate,
        static_cast<double>(maker_.state_bytes()) / 1e9));
    if (!run_.model.network.adapter) require_own_model_folder(run_.folder);
    run_.folder.start(run_.config_yaml);
    const Evaluation before = measured("before", 0);
    result_.before = scores_of(before);
    if (!Interrupt::stop()) {
      run_.folder.metric({{"step", 0}, {"before", result_.before}});
      if (schedule_.steps > 0) take_steps();
    }
    run_.folder.sync_lines();
    const int signals = Interrupt::signals();
    if (signals > 0) run_.console.say(fmt::format("interrupted after {} steps", result_.steps));
    result_.after = result_.steps == 0 ? before : measured("after", signals);
    result_.memory = memory_use(run_.model.store.device(), run_.model.store.bytes(), 0);
    result_.memory.moments = maker_.state_bytes();
    result_.keeps_model = !run_.model.network.adapter;
    return std::move(result_);
  }

 private:
  Evaluation measured(const char* title, int signals) const {
    return measure(run_.model, run_.data.measured(), title, signals, run_.console);
  }

  void take_steps() {
    TrainingClock clock(0);
    BestStep best(Keep::last, run_.config.task);
    Progress progress(run_.console, "training", "step", schedule_.steps, 0);
    StepLog log(run_.folder, progress, clock, settings_.trainer);
    DevEvaluation dev(run_.folder, progress, clock, run_.model, nullptr, run_.data.dev,
                      settings_.trainer, best);
    DivergenceGuard guard(run_.folder, progress, nullptr,
                          DivergenceWatch(chance_of(run_.data.train->to_train_on())),
                          settings_.trainer.guard, run_.model.dtype);
    StepCount count(result_.counts);
    StopAtSignal stop;
    StepListener* const listeners[] = {&log, &dev, &count, &guard, &stop};
    result_.steps = mezo::train(
        maker_, run_.data.train->to_train_on(),
        {0, settings_.trainer.batch_size, settings_.trainer.seed, schedule_}, listeners);
    result_.seconds = clock.seconds();
    result_.forward_passes = result_.steps;
  }

  BaselineParts run_;
  const RunSettings& settings_;
  Schedule schedule_;
  FirstOrderStep maker_;
  Trained result_;
};

}  // namespace

void require_gradients(const RunConfig& config, const PreparedModel& model) {
  const std::string& type = config.settings.optimizer.type;
  const bool differentiable = guard(config.objective.component,
                                    [&] { return config.objective.objective->differentiable(); });
  if (!differentiable || needs_of(config.objective).texts)
    throw ConfigError(
        fmt::format("[optimizer] type {} follows gradients, and the objective {} has none: give "
                    "objective.type=cross_entropy, or optimizer.type=spsa, which needs none",
                    type, config.objective.component.id()));
  if (config.settings.model.dtype == at::kHalf)
    throw ConfigError(fmt::format(
        "[optimizer] type {} computes gradients, which float16 loses: give model.dtype=bfloat16 or "
        "float32",
        type));
  const StorageSettings& storage = config.settings.optimizer.storage;
  const bool float32 =
      !storage.as_filed && storage.type.value_or(Storage::float32) == Storage::float32;
  if (trains_matrices(model) && !float32)
    throw ConfigError(fmt::format(
        "[optimizer] storage: {} trains matrices that are kept as float32 only (peft {} trains "
        "them): give float32, or auto",
        type, config.peft.component.id()));
}

bool keeps_masters(const OptimizerSettings& optimizer, bool frozen) {
  return optimizer_kind(optimizer.type).way == Way::gradient && !frozen && !optimizer.storage.type;
}

void start_anew(const RunFolder& folder, const std::string& optimizer, Console& console) {
  if (folder.has("trajectory.mezo"))
    throw ConfigError(fmt::format(
        "[resume] {} holds the trajectory of an estimator's run, and optimizer.type is {}, whose "
        "runs have none: set it as it was, or give another folder with output=…",
        folder.path(), optimizer));
  if (whole_result(folder)) folder.refuse_result();
  console.say(fmt::format(
      "resume: a run of {} keeps nothing to go on from: it starts from the beginning", optimizer));
}

void write_trained_model(const LoadedModel& model, RunFolder& folder, Console& console) {
  ExportOptions options;
  options.dtype = DType::F32;  // as it was measured
  const auto read = [&](Parameter p, std::span<float> out) { model.store.read(p, out.data()); };
  for (const std::string& line :
       export_folder(model, read, folder.file(model_folder), options).lines())
    console.say(line);
}

Trained train_first_order(const BaselineParts& parts) {
  if (parts.model.dtype == at::kHalf)
    throw ConfigError(
        "[model] dtype: auto is float16 for this model, which loses gradients: give "
        "model.dtype=bfloat16 or float32");
  return FirstOrderRun(parts).train();
}

}  // namespace mezo
