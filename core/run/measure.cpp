#include "core/run/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/console/interrupt.h"
#include "core/console/progress.h"
#include "core/error.h"

namespace mezo {

namespace {

// A model whose weights, as they were read, are no numbers has no scores either.
void refuse_damage(const LoadedModel& model) {
  std::vector<float> values;
  for (std::size_t i = 0; i < model.store.specs().size(); ++i) {
    const ParameterSpec& spec = model.store.specs()[i];
    values.resize(static_cast<std::size_t>(spec.elements()));
    model.store.read({static_cast<int>(i)}, values.data());
    const auto damaged = std::ranges::count_if(values, [](float v) { return !std::isfinite(v); });
    if (damaged > 0)
      throw ModelError(fmt::format(
          "[{}] tensor {}: {} of {} weights are not finite numbers: the file is damaged; fetch or "
          "convert it anew",
          model.path, spec.name, damaged, values.size()));
  }
}

}  // namespace

Evaluation evaluate_split(const LoadedModel& model, const Split& split,
                          const EvaluationProgress& progress) {
  Evaluation result = evaluate(model, split.examples, split.metrics, split.rules, progress);
  const std::size_t all = split.examples.size();
  if (split.right_answers.empty() || result.predictions.size() < all) return result;
  const auto tokens = measure_right_answers(
      model, split.right_answers,
      [&](std::size_t, std::size_t) { return !progress || progress(all, all); });
  if (tokens) result.measurements.push_back(*tokens);
  return result;
}

Evaluation measure(const LoadedModel& model, const Split& split, const std::string& title,
                   int known, Console& console) {
  Evaluation result;
  {
    Progress progress(console, title, "example", static_cast<long long>(split.examples.size()));
    result = evaluate_split(model, split, [&](std::size_t done, std::size_t) {
      progress.show(static_cast<long long>(done));
      return Interrupt::signals() <= known;
    });
  }
  if (result.not_numbers > 0 && title != "after" && model.dtype != at::kHalf) refuse_damage(model);
  if (result.not_numbers > 0)
    throw RunError(fmt::format(
        "[{}] {} of {} examples have scores that are not numbers (the first in row {} of {}): {}",
        title, result.not_numbers, result.predictions.size(), result.first_not_number, split.path,
        model.dtype == at::kHalf
            ? "float16 overflows beyond 65504, or the weights are damaged; try model.dtype=float32"
        : title == "after" ? "the run diverged; try a smaller learning_rate"
                           : "sums overflow, although the weights are numbers"));
  if (result.predictions.size() < split.examples.size())
    console.say(fmt::format("interrupted: {} of {} examples were evaluated",
                            result.predictions.size(), split.examples.size()));
  return result;
}

void write_predictions(RunFolder& folder, const Evaluation& evaluation, const Task& task) {
  std::vector<std::string> lines;
  for (const Prediction& p : evaluation.predictions)
    lines.push_back(prediction_line(p, task.options));
  folder.write_predictions(lines);
}

}  // namespace mezo
