#include "core/run/linear_probe_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/answer/features.h"
#include "core/console/interrupt.h"
#include "core/console/progress.h"
#include "core/console/stopwatch.h"
#include "core/error.h"
#include "core/record/result.h"
#include "core/run/measure.h"
#include "core/train/linear_probe.h"

namespace mezo {

namespace {

at::Tensor features_with_progress(const BaselineParts& run, const Split& split) {
  Progress bar(run.console, "features", "example", static_cast<long long>(split.examples.size()));
  at::Tensor features = features_of(run.model, split.examples, [&](std::size_t done, std::size_t) {
    bar.show(static_cast<long long>(done));
    return !Interrupt::stop();
  });
  if (!features.defined()) throw RunError("[probe] interrupted: there is no probe yet");
  return features;
}

void require_one_row(const Split& split) {
  for (const Question& q : split.examples)
    if (!has_one_row(q))
      throw ConfigError(fmt::format(
          "[optimizer] type linear_probe reads the one row that predicts the option, and in row {} "
          "of {} the options begin behind different rows: end the prompt where they part",
          q.row, split.path));
}

std::vector<std::int64_t> labels_of(const Split& split) {
  std::vector<std::int64_t> labels;
  for (const Question& q : split.examples) labels.push_back(q.right.at(0));
  if (std::ranges::all_of(labels, [&](std::int64_t l) { return l == labels[0]; }))
    throw ConfigError(fmt::format(
        "[task] train: all examples of {} have one label, and a probe learns to tell two apart",
        split.path));
  return labels;
}

Evaluation answered(const LinearProbe& probe, const at::Tensor& features, const Split& split) {
  const at::Tensor scores = probe_scores(probe, features).to(at::kFloat).contiguous();
  const auto classes = static_cast<std::size_t>(scores.size(1));
  Evaluation result;
  for (std::size_t i = 0; i < split.examples.size(); ++i) {
    const float* own = scores.const_data_ptr<float>() + i * classes;
    const Question& q = split.examples[i];
    Prediction p;
    p.row = q.row;
    p.label = q.right.empty() ? -1 : q.right[0];
    p.scores.assign(own, own + classes);
    result.predictions.push_back(std::move(p));
  }
  std::vector<const Question*> all;
  for (const Question& q : split.examples) all.push_back(&q);
  measure_answers(result, all, split.metrics);
  return result;
}

nlohmann::ordered_json chosen_of(const LinearProbe& probe) {
  return {{"inverse_strength", probe.inverse},
          {"inverse_strengths", probe.inverses},
          {"cross_validation", probe.accuracy}};
}

}  // namespace

void require_probe(const RunConfig& config) {
  const Task& task = config.task;
  if (config.settings.task.train.empty())
    throw ConfigError("[task] train: no file is given, and a linear probe learns from one");
  const bool same =
      !task.generates() && task.each_field.empty() &&
      std::ranges::all_of(task.options, [](const Option& o) { return o.text.fields().empty(); });
  if (!same)
    throw ConfigError(fmt::format(
        "[optimizer] type linear_probe tells labels apart, and the task {} has {}: it needs "
        "options "
        "that are the same for every example",
        task.name, task.generates() ? "texts for answers" : "options of each example's own"));
  const Parameters& peft = config.settings.peft.own;
  const std::vector<std::string> all = {"*"};
  if (config.peft.component.id() != "full" || peft.list("include") != all ||
      !peft.list("exclude").empty())
    throw ConfigError("[peft] linear_probe trains nothing of the model: leave the peft block out");
}

Trained train_linear_probe(const BaselineParts& run) {
  const Split& train = *run.data.train;
  require_one_row(train);
  require_one_row(run.data.measured());
  const std::vector<std::int64_t> labels = labels_of(train);
  run.folder.start(run.config_yaml);
  Trained result;
  result.before = scores_of(measure(run.model, run.data.measured(), "before", 0, run.console));
  const Stopwatch clock;
  const at::Tensor features = features_with_progress(run, train);
  const LinearProbe probe =
      fit_probe(features, labels, static_cast<std::int64_t>(run.config.task.options.size()));
  result.seconds = clock.seconds();
  result.probe = chosen_of(probe);
  run.console.say(fmt::format("probe: {} examples of {} numbers, C = {:g} by cross-validation",
                              labels.size(), features.size(1), probe.inverse));
  result.after =
      answered(probe, features_with_progress(run, run.data.measured()), run.data.measured());
  result.memory = memory_use(run.model.store.device(), run.model.store.bytes(), 0);
  return result;
}

}  // namespace mezo
