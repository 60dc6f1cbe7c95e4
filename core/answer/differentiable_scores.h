#pragma once
// Options' scores from tokens' log-probabilities by tensor operations, which autograd follows;
// without it a plain sum does (answer.cpp).

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/answer/packed_questions.h"

namespace mezo {

// `tokens` [S, scored] of one forward -> [S, E, width], minus infinity where an example has fewer
// options than `width`.
at::Tensor differentiable_scores(const PackedQuestions& packed, const at::Tensor& tokens,
                                 std::int64_t width);

}  // namespace mezo
