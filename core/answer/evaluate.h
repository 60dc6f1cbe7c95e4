#pragma once
// Evaluation: answers every question of a file with the weights as they are, in batches of similar
// length, and measures the answers. Scores are log-probabilities over the full vocabulary, so they
// can be compared with any other implementation.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/generate/generator.h"
#include "core/task/metrics.h"
#include "core/task/question.h"
#include "core/task/task.h"

namespace mezo {

struct Prediction {
  std::int64_t row = 0;         // in the file
  std::vector<float> scores;    // of each option
  std::int64_t prediction = 0;  // place of the best option, of equals the first (best_options())
  std::int64_t label = 0;       // the first right option; -1: none
  std::optional<Generated> text = {};     // instead of options
  std::vector<std::string> answers = {};  // the texts that are right
  std::vector<std::string> names = {};    // of the options, where the example brought them
};

struct Measurement {
  const Metric* metric;
  Estimate estimate;
};

struct Evaluation {
  std::vector<Prediction> predictions;    // in the order of the questions
  std::vector<Measurement> measurements;  // by the metrics that were asked for, in their order
  GenerationCost texts;                   // what those that were asked for took
  std::size_t not_numbers = 0;  // examples with a score that is NaN or plus infinity, or logits
  std::int64_t first_not_number = 0;  // row of the first of them

  // By the metric's name; throws std::logic_error if it was not measured.
  MEZO_API double value(const std::string& metric) const;
};

// `progress(done, total)` is called after each batch; returning false stops, and what is left has
// no predictions and is not measured.
using EvaluationProgress = std::function<bool(std::size_t done, std::size_t total)>;

// `rules`: how texts are generated, where the questions ask for them.
MEZO_API Evaluation evaluate(const LoadedModel& model, const std::vector<Question>& questions,
                             const std::vector<const Metric*>& metrics,
                             const std::optional<GenerationRules>& rules = {},
                             const EvaluationProgress& progress = {});

// Adds to what has scores, or texts, of each question: what is predicted, and measurements of all
// answers together, which a metric may need that is no mean.
void measure_answers(Evaluation& result, const std::vector<const Question*>& answered,
                     const std::vector<const Metric*>& metrics);

// Questions of right answers alone (Needs::right_answer), measured by answer_cross_entropy();
// nothing where `progress` stopped it.
MEZO_API std::optional<Measurement> measure_right_answers(const LoadedModel& model,
                                                          const std::vector<Question>& questions,
                                                          const EvaluationProgress& progress = {});

// One JSON line: {"index", "scores": {label: score}, "prediction", "label"}; null for no option. Of
// a generated text {"index", "text", "finish", "answers"}.
MEZO_API std::string prediction_line(const Prediction&, const std::vector<Option>& options);

}  // namespace mezo
