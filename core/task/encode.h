#pragma once
// From an example to a question in token ids. Each option is tokenised together with its prompt;
// what all options begin with is kept once, as the context, so that a forward computes it once. The
// option's own tokens are the last (length with it - length without it), as in the MeZO authors'
// code.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/task/examples.h"
#include "core/task/question.h"
#include "core/task/task.h"
#include "core/text/tokenizer.h"

namespace mezo {

// What every sequence begins with, by the task block's `bos`: nothing, a token, or the tokenizer's
// own start. OPT's is </s>, 2; the MeZO authors ran OPT with 0.
struct SequenceStart {
  enum class Kind { tokenizer, none, id } kind = Kind::tokenizer;
  std::int32_t id = 0;

  // Throws ConfigError for an id that the tokenizer does not have.
  MEZO_API std::vector<std::int32_t> tokens(const Tokenizer& tokenizer) const;
};

// `before`: text that stands before the prompt in every sequence (demonstrations.h), the neutral
// one's too, and is tokenised together with it. `max_length`: where an example's longest sequence
// exceeds it, all its sequences lose the same tokens at their beginning, after those that start
// every sequence, so that they go on sharing a context. `start` is what they begin with; without
// it, the tokenizer's. Throws DataError with file:line for a missing field, a label without option,
// or no token of the prompt left.
MEZO_API Question encode(const Example& example, const Task& task, const Tokenizer& tokenizer,
                         std::int64_t max_length, const std::string& path,
                         const std::optional<std::vector<std::int32_t>>& start = std::nullopt,
                         const std::string& before = "");

// A prompt that a text is to follow, of a task that generates. A sequence has at most `max_length`
// tokens, the text's among them; a longer prompt loses its beginning, but for what starts every
// sequence. `reserve`: always leaves room for the whole text, as every use of a task wants it; else
// only a prompt that is too long by itself is cut, and its text may end sooner.
struct PromptRoom {
  std::int64_t max_length = 0, max_new_tokens = 0;
  bool reserve = true;
};

// `start` and `before` as in encode(). Throws DataError with file:line for a missing field, a
// prompt without a token, and one that has to be cut and would lose every token of its own.
MEZO_API Question encode_prompt(
    const Example& example, const Task& task, const Tokenizer& tokenizer, const PromptRoom& room,
    const std::string& path, const std::optional<std::vector<std::int32_t>>& start = std::nullopt,
    const std::string& before = "");

// The prompt with the answer that the task teaches (docs/tasks.md) as its only option, which is
// right. Arguments and errors as of encode(); throws DataError too where nothing is right.
MEZO_API Question encode_right_answer(
    const Example& example, const Task& task, const Tokenizer& tokenizer, std::int64_t max_length,
    const std::string& path, const std::optional<std::vector<std::int32_t>>& start = std::nullopt,
    const std::string& before = "");

// Every example by one encoder (encode() above, or encode_masked.h); throws one DataError for all
// that are wrong.
MEZO_API std::vector<Question> encode_all(const std::vector<Example>& examples,
                                          const std::function<Question(const Example&)>& encoder);

}  // namespace mezo
