#include "core/run/experiment.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/machine/memory_use.h"
#include "core/run/datasets.h"
#include "core/run/interrupt.h"
#include "core/run/measure.h"
#include "core/run/origin.h"
#include "core/run/placement.h"
#include "core/run/result.h"
#include "core/run/resume.h"
#include "core/run/run_folder.h"
#include "core/run/run_model.h"
#include "core/run/start_adapter.h"
#include "core/run/stopwatch.h"
#include "core/run/training_run.h"

namespace mezo {

namespace {

void require(const RunConfig& config, bool training) {
  if (training && config.task.text("train").empty())
    throw ConfigError(
        "[task] train: no file is given, and `mezo run` trains; `mezo eval` only evaluates");
  if (config.task.text("test").empty() && config.task.text("dev").empty())
    throw ConfigError("[task] neither test nor dev is given, so there is nothing to measure on");
}

std::vector<std::string> lines_of(const WeightHashes& hashes) {
  std::vector<std::string> lines;
  for (const auto& [file, hash] : hashes) lines.push_back("sha256 " + hash + "  " + file);
  return lines;
}

void print_notes(const RunConfig& config) {
  for (const std::string& note : config.notes) fmt::print(stderr, "note: {}\n", note);
}

}  // namespace

bool run_experiment(const RunConfig& config, const RunOptions& options) {
  const Interrupt interrupt;
  print_notes(config);
  require(config, true);
  RunFolder folder(config.top.text("output"), options.earlier);
  std::optional<Resumption> resumption;
  if (options.earlier == Earlier::resume) resumption = find_resumption(folder);
  PreparedModel prepared = prepare_for_run(config, config.peft_mode);
  require_trainable(config, prepared);
  const Datasets data = read_datasets(config, prepared, {"train", "dev", "test"});
  LoadedModel model = load_for_run(config, std::move(prepared), true);
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
  return train_and_report({config, folder, data, model, hashes}, origin, resumption);
}

bool evaluate_experiment(const RunConfig& config, const RunOptions& options) {
  const Interrupt interrupt;
  print_notes(config);
  require(config, false);
  RunFolder folder(config.top.text("output"), options.earlier);
  const ChosenPeft mode = config.evaluated_mode();
  // Sequences are as long as what is evaluated takes, which need not be what would train.
  PreparedModel prepared = prepare_for_run(config, mode);
  const Datasets data =
      read_datasets(config, prepared, {config.task.text("test").empty() ? "dev" : "test"});
  const Split& measured = data.measured();
  LoadedModel model = load_for_run(config, std::move(prepared), false);
  start_adapter(model, 0);  // from its folder: nothing is drawn
  const WeightHashes hashes = hash_weights(model);
  folder.start(config.resolved_yaml(resolved_model(config, model), lines_of(hashes)));
  const Stopwatch clock;
  const Evaluation evaluation = measure(model, measured, "evaluating", 0);
  const bool interrupted = Interrupt::stop();

  nlohmann::ordered_json result = describe_run(
      config, model, hashes,
      mode.peft ? std::string(mode.component.id()) + " adapter" : std::string("zero-shot"));
  result["after"] = scores_of(evaluation);
  result["interrupted"] = interrupted;
  result["seconds"] = clock.seconds();
  result.update(memory_use(model.store.device(), model.store.bytes(), 0).json());
  fmt::print("{}: {}, {} examples\n", config.task_file->name, text_of(evaluation),
             evaluation.predictions.size());
  write_predictions(folder, evaluation, *config.task_file);
  folder.write_result(result);
  fmt::print("{}\n", folder.path());
  return !interrupted;
}

void validate_experiment(const RunConfig& config) {
  print_notes(config);
  require(config, false);
  const PreparedModel model = prepare_for_run(config, config.peft_mode);
  if (!config.task.text("train").empty()) require_trainable(config, model);
  const Datasets data = read_datasets(config, model, {"train", "dev", "test"});
  const auto count = [](const std::optional<Split>& split) {
    return split ? std::to_string(split->examples.size()) : "no";
  };
  fmt::print(
      "ok: model {}, {} train, {} dev and {} test examples, learning rate {:g}, epsilon {:g}\n",
      model.network.family.id(), count(data.train), count(data.dev), count(data.test),
      config.learning_rate(), config.epsilon());
}

}  // namespace mezo
