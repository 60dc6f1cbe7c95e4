#include "core/run/eval.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "core/checkpoint/start_adapter.h"
#include "core/console/interrupt.h"
#include "core/console/stopwatch.h"
#include "core/error.h"
#include "core/record/result.h"
#include "core/run/config_checks.h"
#include "core/run/measure.h"
#include "core/run/run_model.h"
#include "core/settings/resolved.h"

namespace mezo {

namespace {

// The config.yaml of a run folder names the base model, and not what was trained.
void say_what_is_evaluated(const RunConfig& config, Console& console) {
  const std::filesystem::path folder = std::filesystem::path(config.path).parent_path();
  std::error_code none;
  if (std::filesystem::path(config.path).filename() == "config.yaml" &&
      std::filesystem::exists(folder / "trajectory.mezo", none))
    console.warning(
        fmt::format("this evaluates the base model of {0}, not what was trained there; `mezo "
                    "eval {0}` evaluates that",
                    folder.string()));
}

Datasets read_measured(const RunConfig& config, const TextModel& model, Console& console) {
  return read_datasets(config, model, {config.settings.task.test.empty() ? "dev" : "test"},
                       console);
}

// A model that is loaded, with what is evaluated of it.
struct Evaluated {
  const RunConfig& config;
  const LoadedModel& model;
  WeightHashes hashes;
  std::string method;
  std::string head;     // further lines of config.yaml's
  bool frozen = false;  // no matrix trains under the configuration's mode
};

RunResult evaluate_model(const Evaluated& of, const Datasets& data, RunFolder& folder,
                         nlohmann::ordered_json also, Console& console) {
  const RunConfig& config = of.config;
  folder.start(of.head + resolved_yaml(config, resolved_model(of.model),
                                       estimator_context(config, of.frozen), lines_of(of.hashes)));
  const Stopwatch clock;
  const Evaluation evaluation = measure(of.model, data.measured(), "evaluating", 0, console);
  const bool interrupted = Interrupt::stop();
  nlohmann::ordered_json result = describe_run(config, of.model, of.hashes, of.method);
  result.update(also);
  result["after"] = scores_of(evaluation);
  result["interrupted"] = interrupted;
  result["seconds"] = clock.seconds();
  result.update(memory_use(of.model.store.device(), of.model.store.bytes(), 0).json());
  console.result(fmt::format("{}: {}, {} examples", config.task.name, text_of(evaluation),
                             evaluation.predictions.size()));
  write_predictions(folder, evaluation, config.task);
  folder.write_result(result);
  console.result(folder.path());
  return {folder.path(), !interrupted, std::move(result)};
}

// Of overrides for a whole configuration, those that a replay takes.
std::vector<Argument> of_weights(const std::vector<Argument>& overrides) {
  std::vector<Argument> own;
  for (const Argument& a : overrides)
    if (a.text.starts_with("model.") || a.text.starts_with("peft.") ||
        a.text.starts_with("plugins"))
      own.push_back(a);
  return own;
}

// What the weights came of is not what they are evaluated by.
void refuse_changed_past(const std::vector<Argument>& overrides) {
  for (const Argument& a : overrides) {
    const std::string block = a.text.substr(0, a.text.find_first_of(".="));
    static const std::vector<std::string> free = {"task",  "generation", "output",
                                                  "model", "peft",       "plugins"};
    if (std::ranges::find(free, block) == free.end())
      throw ConfigError(
          fmt::format("argument {}: {}: a run's weights are evaluated as they came "
                      "to be; only {} can be given",
                      a.number, a.text, fmt::join(free, ", ")));
  }
}

// The run's own configuration, with a folder of its own to write to.
RunConfig config_of(const RunEvaluation& request, const std::string& run) {
  const std::filesystem::path file = std::filesystem::path(run) / "config.yaml";
  std::error_code none;
  if (!std::filesystem::exists(file, none))
    throw RunError(fmt::format(
        "[eval] {} has no config.yaml, which says what its task is; `mezo export` writes its "
        "weights, and model.path=FOLDER evaluates them",
        run));
  std::vector<Argument> overrides = request.weights.overrides;
  refuse_changed_past(overrides);
  const bool named = std::ranges::any_of(
      overrides, [](const Argument& a) { return a.text.starts_with("output="); });
  const auto& step = request.weights.step;
  const std::string to =
      (std::filesystem::path(run) / (step ? fmt::format("eval-{}", *step) : "eval")).string();
  if (!named) overrides.push_back({0, "output=" + to});
  return load_run_config(
      {file.string(), overrides, request.weights.plugin_folders, request.task_folders});
}

}  // namespace

RunResult evaluate_only(const RunConfig& config, Earlier earlier, Console& console) {
  const Interrupt interrupt;
  say_notes(config, console);
  say_what_is_evaluated(config, console);
  require_data(config, false);
  RunFolder folder(config.settings.top.output, earlier, console);
  const ChosenPeft mode = config.evaluated_mode();
  // Sequences are as long as what is evaluated takes, which need not be what would train.
  PreparedModel prepared = prepare_for_run(config, mode, console);
  const Datasets data = read_measured(config, prepared, console);
  const bool frozen = frozen_under(prepared, config.peft);
  WeightHashing hashing(prepared.files.paths());
  LoadedModel model =
      load_for_run(config, std::move(prepared), frozen, false, data.measured().examples, console);
  start_adapter(model, 0);  // from its folder: nothing is drawn
  return evaluate_model({config, model, hashing.get(), untrained_method(config, model), "", frozen},
                        data, folder, nlohmann::ordered_json::object(), console);
}

RunResult evaluate_run(const RunEvaluation& request, Console& console) {
  const Interrupt interrupt;
  const std::filesystem::path given(request.weights.run);
  std::error_code none;
  std::string run =
      std::filesystem::is_directory(given, none) ? given.string() : given.parent_path().string();
  if (run.empty()) run = ".";
  const RunConfig config = config_of(request, run);
  say_notes(config, console);
  require_data(config, false);
  std::optional<RunFolder> folder;  // once there is such a step, and what else can be wrong was not
  std::optional<Datasets> data;
  ReplayRequest weights = request.weights;
  weights.overrides = of_weights(request.weights.overrides);
  weights.check = [&](const LoadedModel& model) {
    data = read_measured(config, model, console);
    folder.emplace(config.settings.top.output, request.earlier, console);
  };
  const ReplayedRun replayed = replay_run(weights, console);
  const std::string of = fmt::format("# the weights of {} after step {}\n", run, replayed.step);
  return evaluate_model(
      {config, replayed.model, hash_weights(replayed.model.files),
       "mezo " + std::string(config.peft.component.id()), of, replayed.model.frozen()},
      *data, *folder, {{"run", run}, {"step", replayed.step}}, console);
}

}  // namespace mezo
