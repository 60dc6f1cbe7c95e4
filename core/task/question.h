#pragma once
// What a model is asked about one example, as token ids: the sequences to read, and which tokens
// are scored at which of their rows. Options behind a shared context, teacher forcing on one answer
// and a word at a mask are the same list and differ only in what stands in it, so whatever answers
// (core/answer/answer.h) knows no kinds of tasks. Made by an encoder (encode.h).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

struct Question {
  struct Piece {
    std::vector<std::int32_t> tokens;  // not empty
    // Index of the piece whose tokens come before these and are seen by them, or -1. It stands
    // earlier in the list and follows none itself. Only causal models can read such a piece.
    int follows = -1;
  };

  struct Scored {
    int piece = 0;           // the row that predicts: a piece
    std::int64_t index = 0;  // and a place in it. A causal model's is the row before the token; a
                             // masked model's is the mask's own
    std::int32_t token = 0;
    std::int64_t option = 0;
  };

  // What an option's score is, of the log-probabilities of its tokens.
  enum class Score { mean, sum };

  std::vector<Piece> pieces;
  // Option by option from 0 on, none left out; an option's tokens in their order.
  std::vector<Scored> scored;
  Score score = Score::mean;
  // Tokens listed like those of `scored`, for the same options: their log-probabilities' sum is
  // taken from the option's score. None: a score is what it is.
  std::vector<Scored> subtracted;
  std::vector<std::int64_t> right;  // options; several may be right, the first is trained on

  // What the options are called, where the example brings them; else the task names them.
  std::vector<std::string> names;

  std::int64_t generate = 0;         // where text is asked for: at most so many tokens of it
  std::vector<std::string> answers;  // texts that are right

  std::int64_t row = 0;  // of the example, in its file
  std::int64_t cut = 0;  // tokens of the example that were too many

  MEZO_API std::int64_t options() const;
  MEZO_API std::int64_t rows() const;  // token rows that a forward needs
};

// Options that continue one context: it is one piece, and each option whose last token is not its
// only one is a piece that follows it. An only option shares nothing and continues the context in
// one piece. `tails`: each option's tokens behind the context, of which the last `scored[i]` are
// scored (from 1 to all of them). The context must not be empty. Throws std::logic_error.
MEZO_API Question options_behind(std::vector<std::int32_t> context,
                                 std::span<const std::vector<std::int32_t>> tails,
                                 std::span<const std::int32_t> scored);

// Takes from each option's score what it has in `neutral`, the same options behind another context.
// Throws std::logic_error where they are not as many.
MEZO_API void subtract(Question& question, Question neutral);

// One answer behind a context, every token of it scored (teacher forcing): the right option.
MEZO_API Question answer_behind(std::vector<std::int32_t> context,
                                const std::vector<std::int32_t>& answer);

}  // namespace mezo
