#include "core/run/run.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/checkpoint/adapter_folder.h"
#include "core/checkpoint/start_adapter.h"
#include "core/console/interrupt.h"
#include "core/console/stopwatch.h"
#include "core/error.h"
#include "core/record/provenance.h"
#include "core/record/result.h"
#include "core/run/best_step.h"
#include "core/run/config_checks.h"
#include "core/run/first_order_run.h"
#include "core/run/forward_passes.h"
#include "core/run/linear_probe_run.h"
#include "core/run/measure.h"
#include "core/run/placement.h"
#include "core/run/replay.h"
#include "core/run/run_model.h"
#include "core/run/show_data.h"
#include "core/run/training.h"
#include "core/settings/optimizers.h"
#include "core/settings/resolved.h"

namespace mezo {

namespace {

RunResult finished(const RunFolder& folder, nlohmann::ordered_json values, std::uint32_t steps,
                   Console& console) {
  console.say(
      fmt::format("resume: all {} steps were done, and {} has the result", steps, folder.path()));
  console.result(folder.path());
  return {folder.path(), true, std::move(values)};
}

// Without steps only what is measured is read.
std::vector<std::string> splits_of(const RunConfig& config) {
  if (config.settings.trainer.steps > 0) return {"train", "dev", "test"};
  return {config.settings.task.test.empty() ? "dev" : "test"};
}

// The result of a whole run of the very same configuration; nothing has been loaded to know it.
std::optional<RunResult> done_already(const RunConfig& config, const std::string& requested,
                                      const RunFolder& folder, Console& console) {
  const auto values = whole_result(folder);
  if (!values || values->value("requested", nlohmann::ordered_json()) != requested) return {};
  return finished(folder, *values, config.settings.trainer.steps, console);
}

Way way_of(const RunConfig& config) { return optimizer_kind(config.settings.optimizer.type).way; }

bool is_baseline(const RunConfig& config) { return way_of(config) != Way::estimate; }

nlohmann::ordered_json result_of(const RunConfig& config, const LoadedModel& model,
                                 const WeightHashes& hashes, const Trained& trained) {
  const bool untrained = config.settings.trainer.steps == 0 && way_of(config) != Way::probe;
  nlohmann::ordered_json result = describe_run(
      config, model, hashes, untrained ? untrained_method(config, model) : method_of(config));
  result["before"] = trained.before;
  result["after"] = scores_of(trained.after);
  result["steps"] = trained.steps;
  result["steps_not_applied"] = trained.counts.unapplied;
  result["steps_without_difference"] = trained.counts.no_difference;
  if (trained.forward_passes) result["forward_passes"] = *trained.forward_passes;
  if (!trained.probe.is_null()) result["probe"] = trained.probe;
  if (trained.keeps_model) result["trained_model"] = model_folder;
  if (trained.best) {
    result["best_step"] = trained.best->step;
    result["best_by"] = judge_of(config.settings.trainer.keep, config.task)->name;
    result["best_dev"] = trained.best->scores;
  }
  result["interrupted"] = Interrupt::stop();
  result["seconds"] = trained.seconds;
  if (trained.texts)
    result["texts"] = {{"new_tokens", trained.texts->new_tokens},
                       {"seconds", trained.texts->seconds},
                       {"copies", trained.texts->copies},
                       {"copy_bytes", trained.texts->copy_bytes}};
  result["seconds_per_step"] = trained.steps ? trained.seconds / trained.steps : 0;
  result.update(trained.memory.json());
  return result;
}

// The mode under which something of the model trains.
ChosenPeft mode_of(const RunConfig& config) {
  return way_of(config) == Way::probe ? ChosenPeft{} : config.peft;
}

void require_possible(const RunConfig& config, const PreparedModel& model) {
  require_trainable(config, model);
  if (is_baseline(config) && config.settings.trainer.keep != Keep::last)
    throw ConfigError(
        "[trainer] keep: an earlier step's weights are made again from a trajectory, which " +
        config.settings.optimizer.type + " has none of: give last");
  if (way_of(config) == Way::gradient) require_gradients(config, model);
}

Trained train_baseline(const BaselineParts& parts) {
  return way_of(parts.config) == Way::probe ? train_linear_probe(parts) : train_first_order(parts);
}

// An objective of few values (accuracy) often has the same one at both points.
void say_steps_without_difference(const Trained& trained, Console& console) {
  constexpr double worth_saying = 0.03;
  const double share =
      trained.steps ? static_cast<double>(trained.counts.no_difference) / trained.steps : 0;
  if (share > worth_saying)
    console.say(fmt::format(
        "in {:.0f}% of the steps ({} of {}) the projected gradient was exactly 0: no perturbation "
        "changed the objective, and they taught nothing. A larger trainer.batch_size or "
        "optimizer.epsilon makes that rarer (docs/objectives.md)",
        100 * share, trained.counts.no_difference, trained.steps));
}

// A result that was of the last step is none of the best one, and the other way round.
bool keeps_as_asked(const nlohmann::ordered_json& result, const RunConfig& config) {
  const TrainerSettings& trainer = config.settings.trainer;
  const bool best = trainer.keep != Keep::last && trainer.steps > 0;
  return result.value("best_by", "") == (best ? judge_of(trainer.keep, config.task)->name : "");
}

// The weights of an earlier step, on the base read anew.
void go_back(std::optional<LoadedModel>& model, const RunConfig& config, const RunFolder& folder,
             std::uint32_t step, Console& console) {
  console.say(fmt::format("step {} is best on dev: its weights are made again", step));
  const Trajectory trajectory = read_trajectory(folder.file("trajectory.mezo"));
  const ModelSettings& of = config.settings.model;
  model.reset();  // first, as the next needs the room
  PreparedModel prepared = prepare_model(of.path, *config.registry, {of.type, of.own, config.peft});
  ModelPlacement placement = placement_of(of, config.settings.optimizer.storage);
  placement.frozen = prepared.frozen();
  model = load_with_progress(std::move(prepared), placement, {}, console);
  take_back(trajectory, folder.path(), *model, step, console);
}

// The table first: nothing in it can fail, and a full disk must not cost the numbers.
RunResult report(const RunConfig& config, const std::string& requested, const LoadedModel& model,
                 const WeightHashes& hashes, const Trained& trained, RunFolder& folder,
                 Console& console) {
  nlohmann::ordered_json result = result_of(config, model, hashes, trained);
  result["requested"] = requested;
  console.out(result_table(config, model, result, trained.memory));
  say_steps_without_difference(trained, console);
  write_predictions(folder, trained.after, config.task);
  const std::string adapter = folder.file("adapter");
  if (const std::string reason = keep_adapter(model, adapter); !reason.empty())
    console.note(fmt::format("no {}: {}", adapter, reason));
  if (trained.keeps_model) write_trained_model(model, folder, console);
  folder.write_result(result);
  if (trained.steps > 0 && trained.counts.unapplied == trained.steps)
    throw RunError(fmt::format(
        "[run] none of the {} steps changed anything, since their losses were not finite: try {}",
        trained.steps,
        model.dtype != at::kFloat ? "model.dtype=float32"
        : is_baseline(config)     ? "a smaller optimizer.learning_rate"
                                  : "a smaller optimizer.epsilon"));
  console.result(folder.path());
  return {folder.path(), !Interrupt::stop(), std::move(result)};
}

}  // namespace

RunResult run(const RunConfig& config, Earlier earlier, Console& console) {
  const Interrupt interrupt;
  say_notes(config, console);
  require_data(config, true);
  require_fitting(config);
  require_judge(config);
  if (way_of(config) == Way::probe) require_probe(config);
  const std::string requested = config.requested_hash();  // now: it reads the task file
  RunFolder folder(config.settings.top.output, earlier, console);
  std::optional<Resumption> resumption;
  if (earlier == Earlier::resume) {
    if (auto done = done_already(config, requested, folder, console)) return std::move(*done);
    if (is_baseline(config))
      start_anew(folder, config.settings.optimizer.type, console);
    else
      resumption = find_resumption(folder, console);
  }
  PreparedModel prepared = prepare_for_run(config, mode_of(config), console);
  require_possible(config, prepared);
  const std::vector<std::string> splits = way_of(config) == Way::probe
                                              ? std::vector<std::string>{"train", "dev", "test"}
                                              : splits_of(config);
  const Datasets data = read_datasets(config, prepared, splits, console);
  const bool frozen = prepared.frozen();
  WeightHashing hashing(prepared.files.paths());
  std::optional<LoadedModel> loaded =
      load_for_run(config, std::move(prepared), frozen, true, data.measured().examples, console);
  LoadedModel& model = *loaded;
  if (resumption)
    read_initial(model, folder.file(initial_file));
  else
    start_adapter(model, config.settings.trainer.seed);
  const WeightHashes hashes = hashing.get();
  const EstimatorContext context = estimator_context(config, frozen);
  const std::string yaml = resolved_yaml(config, resolved_model(model), context, lines_of(hashes));
  if (is_baseline(config)) {
    const Trained trained = train_baseline({config, folder, data, model, yaml, console});
    return report(config, requested, model, hashes, trained, folder, console);
  }
  std::unique_ptr<Estimator> estimator = make_estimator(config.settings.optimizer, context);
  const TrajectoryHeader provenance =
      provenance_of(config, yaml, estimator->scalars_a_step(), model);
  if (resumption) {
    check_resumption(*resumption, provenance, config, console);
    if (const auto whole = whole_result(folder);
        whole && resumption->past.steps() == config.settings.trainer.steps &&
        keeps_as_asked(*whole, config))
      return finished(folder, *whole, resumption->past.steps(), console);
  }
  Trained trained = train_model(
      {config, folder, data, model, provenance, std::move(estimator), console}, resumption);
  trained.forward_passes =
      forward_passes(config.settings.optimizer, context, trained.steps, resumption);
  if (trained.goes_back()) {
    go_back(loaded, config, folder, trained.best->step, console);
    trained.after = measure(*loaded, data.measured(), "after", 0, console);
    trained.memory =
        memory_use(loaded->store.device(), loaded->store.bytes(), trained.memory.scratch);
  }
  return report(config, requested, *loaded, hashes, trained, folder, console);
}

void validate(const RunConfig& config, std::optional<std::int64_t> show, Console& console) {
  say_notes(config, console);
  require_data(config, false);
  const PreparedModel model = prepare_for_run(config, mode_of(config), console);
  if (!config.settings.task.train.empty()) {
    require_fitting(config);
    require_judge(config);
    if (way_of(config) == Way::probe) require_probe(config);
    require_possible(config, model);
  }
  const Datasets data = read_datasets(config, model, {"train", "dev", "test"}, console);
  if (show) show_data(data, config.task, model.tokenizer, static_cast<std::size_t>(*show), console);
  const auto count = [](const std::optional<Split>& split) {
    return split ? std::to_string(split->examples.size()) : "no";
  };
  std::string steps = fmt::format("learning rate {:g}", learning_rate_of(config));
  if (!is_baseline(config))
    steps += fmt::format(", epsilon {:g}", make_estimator(config.settings.optimizer,
                                                          estimator_context(config, model.frozen()))
                                               ->epsilon());
  console.result(fmt::format("ok: model {}, {} train, {} dev and {} test examples, {}",
                             model.network.family.id(), count(data.train), count(data.dev),
                             count(data.test), steps));
}

}  // namespace mezo
