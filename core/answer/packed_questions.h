#pragma once
// Questions as one forward has them: their pieces in one packed batch, and the rows whose logits
// predict what is scored, each once. Made once a forward; answer.cpp reads it.

#include <cstdint>
#include <span>
#include <vector>

#include "core/forward/packed_batch.h"
#include "core/task/question.h"

namespace mezo {

// One scored token and which of the wanted rows predicts it.
struct PredictedToken {
  std::int64_t wanted, token;
};

struct PackedQuestions {
  PackedBatch batch;
  std::vector<std::int64_t> wanted;  // rows of the batch, each once
  // Question by question, option by option; behind all of these, in the same order, what is
  // subtracted from options' scores.
  std::vector<PredictedToken> scored;

  // As Outputs has them (core/task/objective.h), and of each question how its options score.
  std::vector<std::int64_t> option_offsets = {0}, token_offsets = {0};
  std::vector<Question::Score> score;
  std::vector<std::int64_t> subtracted_offsets = {0};  // [P + 1], behind token_offsets.back()

  bool continued = false;  // a piece follows another
  // Whether the vocabulary's normaliser is the same for all options of each question, so that it
  // changes no comparison between them: every option is one token, and one row predicts them all.
  bool normaliser_cancels = true;

  std::int64_t questions() const { return static_cast<std::int64_t>(score.size()); }
};

// Throws std::logic_error for a question that is not as question.h says.
PackedQuestions pack(std::span<const Question* const> questions);

}  // namespace mezo
