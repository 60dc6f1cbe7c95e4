#pragma once
// Evaluation: scores every example of a file with the weights as they are, in batches of similar
// length, and measures the answers. Scores are mean log-probabilities over the full vocabulary, so
// they can be compared with any other implementation.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/task/encode.h"

namespace mezo {

struct Prediction {
  std::int64_t row = 0;         // in the file
  std::vector<float> scores;    // of each option
  std::int64_t prediction = 0;  // place of the best option; of equals the first
  std::int64_t label = 0;
};

struct Evaluation {
  std::vector<Prediction> predictions;  // in the order of the examples
  double accuracy = 0;                  // share of predictions that are right
  std::size_t not_numbers = 0;          // examples with a score that is NaN or plus infinity
  std::int64_t first_not_number = 0;    // row of the first of them
  double loss = 0;                      // mean softmax cross-entropy over the options
};

// `progress(done, total)` is called after each batch; returning false stops, and what is left has
// no predictions.
using EvaluationProgress = std::function<bool(std::size_t done, std::size_t total)>;

MEZO_API Evaluation evaluate(const LoadedModel& model, const std::vector<EncodedExample>& examples,
                             const EvaluationProgress& progress = {});

// One JSON line: {"index", "scores": {label: score}, "prediction", "label"}.
MEZO_API std::string prediction_line(const Prediction&, const std::vector<Option>& options);

}  // namespace mezo
