#include "core/run/experiment.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/sha256.h"
#include "core/plugin/create.h"
#include "core/run/datasets.h"
#include "core/run/evaluate.h"
#include "core/run/interrupt.h"
#include "core/run/progress.h"
#include "core/run/run_folder.h"
#include "core/run/trainer.h"
#include "core/version.h"

namespace mezo {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int most_non_finite = 10;  // steps in a row whose loss is not finite before a run is given up

double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

std::int64_t peak_memory_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

Json scores_of(const Evaluation& e) { return {{"accuracy", e.accuracy}, {"loss", e.loss}, {"examples", e.predictions.size()}}; }

std::string percent(const Evaluation& e) { return fmt::format("{:.1f}%", 100 * e.accuracy); }

// Evaluates a split behind a progress bar. It is cut short by a signal beyond the `known` ones.
Evaluation measure(const LoadedModel& model, const Split& split, const std::string& title, int known) {
  Evaluation result;
  {
    Progress progress(title, "example", static_cast<long long>(split.examples.size()));
    result = evaluate(model, split.examples, [&](std::size_t done, std::size_t) {
      progress.show(static_cast<long long>(done));
      return Interrupt::signals() <= known;
    });
  }
  if (result.predictions.size() < split.examples.size())
    fmt::print(stderr, "interrupted: {} of {} examples were evaluated\n", result.predictions.size(), split.examples.size());
  return result;
}

void require(const RunConfig& config, bool training) {
  if (training && config.task.text("train").empty())
    throw ConfigError("[task] train: no file is given, and `mezo run` trains; `mezo eval` only evaluates");
  if (config.task.text("test").empty() && config.task.text("dev").empty())
    throw ConfigError("[task] neither test nor dev is given, so there is nothing to measure on");
}

// Reads the examples with the model's tokenizer, before its weights: a bad line is known at once however large the model is.
Datasets read_data(const RunConfig& config, const std::vector<std::string>& wanted) {
  const CheckedModel checked = check_model(config.model.text("path"), config.model.text("type"), *config.registry);
  return read_datasets(config, checked.tokenizer, wanted);
}

LoadedModel load(const RunConfig& config) {
  const auto start = Clock::now();
  LoadedModel model = load_model(config.model.text("path"), config.model.text("type"), *config.registry);
  fmt::print(stderr, "model: {}, {:.1f} M parameters in float32, read in {:.1f} s\n", model.type,
             static_cast<double>(model.parameters()) / 1e6, seconds_since(start));
  for (const std::string& name : model.unused) fmt::print(stderr, "warning: the model does not use the tensor {}\n", name);
  return model;
}

std::vector<std::string> prediction_lines(const Evaluation& e, const Task& task) {
  std::vector<std::string> lines;
  for (const Prediction& p : e.predictions) lines.push_back(prediction_line(p, task.options));
  return lines;
}

Json describe(const RunConfig& config, const LoadedModel& model, const std::string& method) {
  Json hashes = Json::object();
  for (const std::string& file : model.files) hashes[std::filesystem::path(file).filename().string()] = "sha256:" + sha256_of_file(file);
  Json plugins = Json::object();
  for (const Component& c : {model.component, config.peft_component, config.objective_component})
    plugins[std::string(c.plugin->descriptor->name)] = std::string(c.plugin->descriptor->version);
  return {{"method", method},       {"task", config.task_file->name}, {"metric", config.task_file->metric},
          {"mezo", version_text},   {"model_type", model.type},      {"model_hash", hashes},
          {"plugins", plugins}};
}

void print_notes(const RunConfig& config) {
  for (const std::string& note : config.notes) fmt::print(stderr, "note: {}\n", note);
}

std::vector<bool> trained_parameters(const RunConfig& config, const LoadedModel& model) {
  const auto& specs = model.store.specs();
  std::vector<bool> trained = guard(config.peft_component, [&] { return config.peft_mode->trained(specs); });
  if (trained.size() != specs.size())
    throw PluginError(fmt::format("[peft {}] trained() must return one flag for each of {} parameters, got {} (plugin {})", config.peft_component.id(),
                                  specs.size(), trained.size(), config.peft_component.plugin->path.string()));
  return trained;
}

// Everything a training run watches for, step by step.
class Watch {
 public:
  Watch(RunFolder& folder, const RunConfig& config, const LoadedModel& model, ExactWeights& weights, const Datasets& data)
      : folder_(folder), model_(model), weights_(weights), data_(data), total_(config.trainer.integer("steps")),
        log_every_(config.trainer.integer("log_every")), eval_every_(config.trainer.integer("eval_every")),
        progress_("training", "step", total_), start_(Clock::now()) {}

  bool operator()(const StepReport& report) {
    log(report);
    guard_against_divergence(report);
    if (data_.dev && eval_every_ > 0 && report.step % eval_every_ == 0 && !Interrupt::stop()) evaluate_dev(report.step);
    return !Interrupt::stop();
  }

  double training_seconds() const { return seconds_since(start_) - evaluating_; }

 private:
  void log(const StepReport& report) {
    const SpsaStep& e = report.estimate;
    if (e.applied) smoothed_ = std::isnan(smoothed_) ? e.loss : 0.95 * smoothed_ + 0.05 * e.loss;
    if (report.step % log_every_ == 0 || report.step == total_ || !e.applied) {
      Json line = {{"step", report.step}, {"loss", e.loss}, {"projected_gradient", e.projected_gradients}, {"learning_rate", report.learning_rate}};
      if (!e.applied) line["applied"] = false;
      folder_.metric(line);
      folder_.timing({{"step", report.step}, {"training_seconds", training_seconds()}});
    }
    examples_ += static_cast<std::int64_t>(report.examples);
    const double speed = static_cast<double>(examples_) / training_seconds();
    progress_.show(report.step, {fmt::format("loss {:.3f}", smoothed_), fmt::format("g {:+.2f}", e.projected_gradients.front()),
                                 fmt::format("{:.{}f} examples/s", speed, speed < 100 ? 1 : 0)});
  }

  void guard_against_divergence(const StepReport& report) {
    non_finite_ = report.estimate.applied ? 0 : non_finite_ + 1;
    if (non_finite_ >= most_non_finite)
      throw RunError(fmt::format("[run] the loss was not finite for {} steps in a row, up to step {}; the run diverged. Try a smaller "
                                 "learning_rate (or epsilon). Logged steps are in {}", non_finite_, report.step, folder_.path()));
  }

  void evaluate_dev(std::uint32_t step) {
    const auto start = Clock::now();
    weights_.settle();
    const Evaluation dev = evaluate(model_, data_.dev->examples, [](std::size_t, std::size_t) { return !Interrupt::stop(); });
    if (!Interrupt::stop()) {
      folder_.metric({{"step", step}, {"dev", scores_of(dev)}});
      progress_.note(fmt::format("step {}: dev accuracy {}, loss {:.4f}", step, percent(dev), dev.loss));
    }
    evaluating_ += seconds_since(start);
  }

  RunFolder& folder_;
  const LoadedModel& model_;
  ExactWeights& weights_;
  const Datasets& data_;
  std::int64_t total_, log_every_, eval_every_;
  Progress progress_;
  Clock::time_point start_;
  double smoothed_ = std::numeric_limits<double>::quiet_NaN();  // the loss, averaged for the eye
  double evaluating_ = 0;
  std::int64_t examples_ = 0;
  int non_finite_ = 0;
};

void print_table(const RunConfig& config, const Evaluation& before, const Evaluation& after, std::uint32_t steps, double seconds_a_step) {
  const std::string method = "MeZO " + std::string(config.peft_component.id());
  fmt::print("{:<24} {:>9} {:>9}\n", config.task_file->name, "accuracy", "loss");
  fmt::print("{:<24} {:>9} {:>9.4f}\n", "zero-shot", percent(before), before.loss);
  fmt::print("{:<24} {:>9} {:>9.4f}\n", fmt::format("{}, {} steps", method, steps), percent(after), after.loss);
  fmt::print("{:.3f} s a step, peak memory {:.2f} GB\n", seconds_a_step, static_cast<double>(peak_memory_bytes()) / 1e9);
}

}  // namespace

bool run_experiment(const RunConfig& config, const RunOptions& options) {
  const Interrupt interrupt;
  print_notes(config);
  require(config, true);
  RunFolder folder(config.top.text("output"), options.overwrite);
  const Datasets data = read_data(config, {"train", "dev", "test"});
  const Split& measured = data.measured();
  LoadedModel model = load(config);
  const std::vector<bool> trained = trained_parameters(config, model);
  folder.start(config.resolved_yaml(model.type));

  const TrainerOptions trainer = trainer_options(config);
  fmt::print(stderr, "training: {} steps of {} examples, learning rate {:g}, epsilon {:g}\n", trainer.steps, trainer.batch_size,
             trainer.learning_rate, trainer.spsa.epsilon);
  const Evaluation before = measure(model, measured, "before", 0);
  ExactWeights weights(model.store, trained, trainer.seed);
  std::uint32_t steps = 0;
  double seconds = 0;
  if (!Interrupt::stop()) {
    Watch watch(folder, config, model, weights, data);
    steps = train(model, weights, *config.objective_function, config.objective_component, data.train->examples, trainer, std::ref(watch));
    seconds = watch.training_seconds();
  }
  weights.settle();
  const int signals = Interrupt::signals();
  if (signals > 0)
    fmt::print(stderr, "interrupted after {} steps{}\n", steps, steps ? "; evaluating what was learned (once more: skip this)" : "");
  const Evaluation after = steps == 0 && signals > 0 ? before : measure(model, measured, "after", signals);
  const bool interrupted = Interrupt::stop();
  const double seconds_a_step = steps ? seconds / steps : 0;

  Json result = describe(config, model, "mezo " + std::string(config.peft_component.id()));
  result["before"] = scores_of(before);
  result["after"] = scores_of(after);
  result["steps"] = steps;
  result["interrupted"] = interrupted;
  result["seconds"] = seconds;
  result["seconds_per_step"] = seconds_a_step;
  result["peak_memory_bytes"] = peak_memory_bytes();
  print_table(config, before, after, steps, seconds_a_step);  // first: a full disk must not cost the numbers
  folder.write_predictions(prediction_lines(after, *config.task_file));
  folder.write_result(result);
  fmt::print("{}\n", folder.path());
  return !interrupted;
}

bool evaluate_experiment(const RunConfig& config, const RunOptions& options) {
  const Interrupt interrupt;
  print_notes(config);
  require(config, false);
  RunFolder folder(config.top.text("output"), options.overwrite);
  const Datasets data = read_data(config, {config.task.text("test").empty() ? "dev" : "test"});
  const Split& measured = data.measured();
  const LoadedModel model = load(config);
  folder.start(config.resolved_yaml(model.type));
  const auto start = Clock::now();
  const Evaluation evaluation = measure(model, measured, "evaluating", 0);
  const bool interrupted = Interrupt::stop();

  Json result = describe(config, model, "zero-shot");
  result["after"] = scores_of(evaluation);
  result["interrupted"] = interrupted;
  result["seconds"] = seconds_since(start);
  result["peak_memory_bytes"] = peak_memory_bytes();
  fmt::print("{}: accuracy {}, loss {:.4f}, {} examples\n", config.task_file->name, percent(evaluation), evaluation.loss,
             evaluation.predictions.size());
  folder.write_predictions(prediction_lines(evaluation, *config.task_file));
  folder.write_result(result);
  fmt::print("{}\n", folder.path());
  return !interrupted;
}

void validate_experiment(const RunConfig& config) {
  print_notes(config);
  require(config, false);
  const CheckedModel model = check_model(config.model.text("path"), config.model.text("type"), *config.registry);
  const Datasets data = read_datasets(config, model.tokenizer, {"train", "dev", "test"});
  const auto count = [](const std::optional<Split>& split) { return split ? std::to_string(split->examples.size()) : "no"; };
  fmt::print("ok: model {}, {} train, {} dev and {} test examples, learning rate {:g}, epsilon {:g}\n", model.type, count(data.train),
             count(data.dev), count(data.test), config.learning_rate(), config.epsilon());
}

}  // namespace mezo
