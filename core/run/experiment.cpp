#include "core/run/experiment.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/model/attach.h"
#include "core/model/weights_hash.h"
#include "core/plugin/create.h"
#include "core/run/adapter_folder.h"
#include "core/run/datasets.h"
#include "core/run/device.h"
#include "core/run/evaluate.h"
#include "core/run/interrupt.h"
#include "core/run/lost_perturbations.h"
#include "core/run/memory_use.h"
#include "core/run/origin.h"
#include "core/run/placement.h"
#include "core/run/progress.h"
#include "core/run/result.h"
#include "core/run/resume.h"
#include "core/run/rounding_noise.h"
#include "core/run/run_folder.h"
#include "core/run/start_adapter.h"
#include "core/run/stopwatch.h"
#include "core/run/trainer.h"
#include "core/run/watch.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;

// Evaluates a split behind a progress bar. It is cut short by a signal beyond the `known` ones.
Evaluation measure(const LoadedModel& model, const Split& split, const std::string& title,
                   int known) {
  Evaluation result;
  {
    Progress progress(title, "example", static_cast<long long>(split.examples.size()));
    result = evaluate(model, split.examples, [&](std::size_t done, std::size_t) {
      progress.show(static_cast<long long>(done));
      return Interrupt::signals() <= known;
    });
  }
  if (result.not_numbers > 0)
    throw RunError(fmt::format(
        "[{}] {} of {} examples have scores that are not numbers (the first in row {} of {}): the "
        "weights "
        "are damaged, or the run diverged; try a smaller learning_rate",
        title, result.not_numbers, result.predictions.size(), result.first_not_number, split.path));
  if (result.predictions.size() < split.examples.size())
    fmt::print(stderr, "interrupted: {} of {} examples were evaluated\n", result.predictions.size(),
               split.examples.size());
  return result;
}

void require(const RunConfig& config, bool training) {
  if (training && config.task.text("train").empty())
    throw ConfigError(
        "[task] train: no file is given, and `mezo run` trains; `mezo eval` only evaluates");
  if (config.task.text("test").empty() && config.task.text("dev").empty())
    throw ConfigError("[task] neither test nor dev is given, so there is nothing to measure on");
}

// A base that does not train in the run's mode stays as filed, also where an evaluation needs no
// mode.
LoadedModel load(const RunConfig& config, const ChosenPeft& mode, const CheckedModel& checked,
                 bool training) {
  const Stopwatch clock;
  ModelPlacement placement = placement_of(config);
  placement.frozen = placement.frozen || is_frozen(checked.parameters, checked.trained);
  LoadedModel model = load_model(config.model.text("path"), config.model.text("type"),
                                 *config.registry, placement, mode);
  fmt::print(
      stderr,
      "model: {}, {:.1f} M parameters, computed in {}, kept in {} ({:.2f} GB) on {}, read in "
      "{:.1f} s\n",
      model.type, static_cast<double>(model.parameters()) / 1e6, name_of_dtype(model.dtype),
      name_of(model.store.storage()), static_cast<double>(model.store.bytes()) / 1e9,
      device_memory(model.store.device()).name, clock.seconds());
  if (const std::string note = widening_note(config, model, training); !note.empty())
    fmt::print(stderr, "note: {}\n", note);
  for (const std::string& name : model.unused)
    fmt::print(stderr, "warning: the model does not use the tensor {}\n", name);
  if (model.adapter)
    for (const std::string& note :
         guard(mode.component, [&] { return model.adapter.adapter->notes(); }))
      fmt::print(stderr, "{}{}\n",
                 note.starts_with("warning: ") ? "" : fmt::format("{}: ", mode.component.id()),
                 note);
  return model;
}

std::vector<std::string> prediction_lines(const Evaluation& e, const Task& task) {
  std::vector<std::string> lines;
  for (const Prediction& p : e.predictions) lines.push_back(prediction_line(p, task.options));
  return lines;
}

std::vector<std::string> lines_of(const WeightHashes& hashes) {
  std::vector<std::string> lines;
  for (const auto& [file, hash] : hashes) lines.push_back("sha256 " + hash + "  " + file);
  return lines;
}

// As task.bos would say it; a start of several tokens is the tokenizer's alone to say.
std::string bos_of(const Tokenizer& tokenizer) {
  const auto start = tokenizer.sequence_start();
  return start.empty() ? "none" : start.size() == 1 ? std::to_string(start.front()) : "auto";
}

ResolvedModel resolved_model(const RunConfig& config, const LoadedModel& model) {
  return {model.type,
          name_of_dtype(model.dtype),
          model.store.device().is_cuda() ? "cuda" : "cpu",
          model.kept_as_filed ? "file" : name_of(model.store.storage()),
          streams_together(config, model) ? "together" : "turns",
          bos_of(model.tokenizer)};
}

void print_notes(const RunConfig& config) {
  for (const std::string& note : config.notes) fmt::print(stderr, "note: {}\n", note);
}

// Before any weight or example is read: a bad path or pattern is known at once however large the
// model is.
CheckedModel check(const RunConfig& config, const ChosenPeft& mode) {
  return check_model(config.model.text("path"), config.model.text("type"), *config.registry, mode);
}

bool trains_in(Storage storage, const LoadedModel& model) {
  for (std::size_t i = 0; i < model.trained.size(); ++i)
    if (model.trained[i] && model.store.stored({static_cast<int>(i)}).storage == storage)
      return true;
  return false;
}

// A training run with everything read and checked.
struct Run {
  const RunConfig& config;
  RunFolder& folder;
  const Datasets& data;
  LoadedModel& model;
  const WeightHashes& hashes;
  Json before = nullptr;
  std::optional<Evaluation> measured_before = {};  // unless an earlier session did it

  bool train_and_report(const TrajectoryHeader& origin,
                        const std::optional<Resumption>& resumption);
  Start prepare(const TrajectoryHeader& origin, const std::optional<Resumption>& resumption,
                ExactWeights& weights);
  void report(const Evaluation& after, std::uint32_t steps, double seconds,
              const MemoryUse& memory);
};

// Base weights are measured before the past is replayed onto them, and a new run's folder is made
// its own before anything takes long.
Start Run::prepare(const TrajectoryHeader& origin, const std::optional<Resumption>& resumption,
                   ExactWeights& weights) {
  const auto flush_every = static_cast<std::uint32_t>(config.trainer.integer("flush_every"));
  std::optional<Start> start;
  if (!resumption) start.emplace(start_new(folder, origin, model, flush_every));
  if (resumption) before = resumption->log.before;
  if (before.is_null()) {
    measured_before = measure(model, data.measured(), "before", 0);
    before = scores_of(*measured_before);
  }
  if (resumption)
    start.emplace(start_again(folder, origin, flush_every, *resumption, weights, model.store));
  if (measured_before && !Interrupt::stop()) folder.metric({{"step", 0}, {"before", before}});
  return std::move(*start);
}

bool Run::train_and_report(const TrajectoryHeader& origin,
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
      steps = train(model, weights, *config.objective_function, config.objective_component,
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
  const Evaluation after = steps == 0 && signals > 0 && measured_before
                               ? *measured_before
                               : measure(model, data.measured(), "after", signals);
  report(after, steps, seconds, memory_use(model.store, weights.scratch_bytes()));
  return !Interrupt::stop();
}

void Run::report(const Evaluation& after, std::uint32_t steps, double seconds,
                 const MemoryUse& memory) {
  Json result =
      describe_run(config, model, hashes, "mezo " + std::string(config.peft_mode.component.id()));
  result["before"] = before;
  result["after"] = scores_of(after);
  result["steps"] = steps;
  result["interrupted"] = Interrupt::stop();
  result["seconds"] = seconds;
  result["seconds_per_step"] = steps ? seconds / steps : 0;
  result.update(memory.json());
  // First: a full disk must not cost the numbers.
  print_table(config, model, result, memory);
  folder.write_predictions(prediction_lines(after, *config.task_file));
  keep_adapter(model, folder.file("adapter"));
  folder.write_result(result);
  fmt::print("{}\n", folder.path());
}

}  // namespace

bool run_experiment(const RunConfig& config, const RunOptions& options) {
  const Interrupt interrupt;
  print_notes(config);
  require(config, true);
  RunFolder folder(config.top.text("output"), options.earlier);
  std::optional<Resumption> resumption;
  if (options.earlier == Earlier::resume) resumption = find_resumption(folder);
  const CheckedModel checked = check(config, config.peft_mode);
  require_trainable(config, checked);
  const Datasets data = read_datasets(config, checked, {"train", "dev", "test"});
  LoadedModel model = load(config, config.peft_mode, checked, true);
  if (resumption)
    read_initial(model, folder.file(initial_file));
  else
    start_adapter(model, exact_options(config, model).seed);
  const WeightHashes hashes = hash_weights(model);
  const TrajectoryHeader origin =
      origin_of(config, config.resolved_yaml(resolved_model(config, model), lines_of(hashes)),
                model.store, model.trained);
  if (resumption) check_resumption(*resumption, origin, config);
  const auto wanted = static_cast<std::uint32_t>(config.trainer.integer("steps"));
  if (resumption && resumption->past.steps() == wanted && has_whole_result(folder)) {
    fmt::print(stderr, "resume: all {} steps were done, and {} has the result\n", wanted,
               folder.path());
    fmt::print("{}\n", folder.path());
    return true;
  }
  return Run{config, folder, data, model, hashes}.train_and_report(origin, resumption);
}

bool evaluate_experiment(const RunConfig& config, const RunOptions& options) {
  const Interrupt interrupt;
  print_notes(config);
  require(config, false);
  RunFolder folder(config.top.text("output"), options.earlier);
  const ChosenPeft mode = config.evaluated_mode();
  // Sequences are as long as what is evaluated takes, which need not be what would train.
  const Datasets data = read_datasets(config, check(config, mode),
                                      {config.task.text("test").empty() ? "dev" : "test"});
  const Split& measured = data.measured();
  LoadedModel model = load(config, mode, check(config, config.peft_mode), false);
  start_adapter(model, 0);  // from its folder: nothing is drawn
  const WeightHashes hashes = hash_weights(model);
  folder.start(config.resolved_yaml(resolved_model(config, model), lines_of(hashes)));
  const Stopwatch clock;
  const Evaluation evaluation = measure(model, measured, "evaluating", 0);
  const bool interrupted = Interrupt::stop();

  Json result = describe_run(
      config, model, hashes,
      mode.peft ? std::string(mode.component.id()) + " adapter" : std::string("zero-shot"));
  result["after"] = scores_of(evaluation);
  result["interrupted"] = interrupted;
  result["seconds"] = clock.seconds();
  result.update(memory_use(model.store, 0).json());
  fmt::print("{}: accuracy {}, loss {:.4f}, {} examples\n", config.task_file->name,
             percent(evaluation), evaluation.loss, evaluation.predictions.size());
  folder.write_predictions(prediction_lines(evaluation, *config.task_file));
  folder.write_result(result);
  fmt::print("{}\n", folder.path());
  return !interrupted;
}

void validate_experiment(const RunConfig& config) {
  print_notes(config);
  require(config, false);
  const CheckedModel model = check(config, config.peft_mode);
  if (!config.task.text("train").empty()) require_trainable(config, model);
  const Datasets data = read_datasets(config, model, {"train", "dev", "test"});
  const auto count = [](const std::optional<Split>& split) {
    return split ? std::to_string(split->examples.size()) : "no";
  };
  fmt::print(
      "ok: model {}, {} train, {} dev and {} test examples, learning rate {:g}, epsilon {:g}\n",
      model.type, count(data.train), count(data.dev), count(data.test), config.learning_rate(),
      config.epsilon());
}

}  // namespace mezo
