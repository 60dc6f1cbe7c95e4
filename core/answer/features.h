#pragma once
// The hidden row that predicts a question's options: what a linear probe reads instead of the
// vocabulary's head.

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/task/question.h"

namespace mezo {

// Told after each batch; false stops.
using FeatureProgress = std::function<bool(std::size_t done, std::size_t total)>;

// [questions, width] fp64 on the host, in their order: of each question the row that predicts the
// first scored token of its options, which must be one row (std::logic_error). Undefined where it
// was stopped.
MEZO_API at::Tensor features_of(const LoadedModel& model, const std::vector<Question>& questions,
                                const FeatureProgress& progress = {});

// Whether one row predicts the first scored token of all options.
MEZO_API bool has_one_row(const Question& question);

}  // namespace mezo
