#pragma once
// From hidden rows to a number for each scored token. Only the rows that predict one reach the
// head.

#include <ATen/core/Tensor.h>

#include "core/answer/packed_questions.h"
#include "core/forward/network.h"
#include "core/forward/stream_ops.h"

namespace mezo {

// [S, scored] fp32 where the model is, of `hidden` [S * rows, width]: log-probabilities over the
// whole vocabulary, computed in tiles of its rows.
at::Tensor log_likelihoods(const Network&, StreamOps&, const at::Tensor& hidden,
                           const PackedQuestions&);

// The same shape: logits, for which the head is computed at the scored tokens' entries alone.
at::Tensor logits_of_scored(const Network&, StreamOps&, const at::Tensor& hidden,
                            const PackedQuestions&);

}  // namespace mezo
