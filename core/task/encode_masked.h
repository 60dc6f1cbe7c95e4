#pragma once
// From an example to a question for a model that fills a mask: one sequence with the task's <mask>
// in it, and each option one token that may stand there. The prompt is tokenised piece by piece
// (the text between, each field), as in the MeZO authors' code for masked models; outer spaces of a
// field are kept.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/task/examples.h"
#include "core/task/question.h"
#include "core/task/task.h"
#include "core/text/tokenizer.h"

namespace mezo {

class MEZO_API MaskedEncoder {
 public:
  // `max_length`: where a sequence exceeds it, its fields lose tokens at their ends, the longest
  // first; the rest of the prompt stays. `start`: what a sequence begins with; without it, what the
  // tokenizer says. It ends as the tokenizer says. Throws ConfigError for a task without exactly
  // one <mask>, DataError for an option that is not one token, ModelError for a tokenizer without a
  // mask.
  MaskedEncoder(const Task& task, const Tokenizer& tokenizer, std::int64_t max_length,
                const std::optional<std::vector<std::int32_t>>& start = std::nullopt);

  // Throws DataError with file:line for a missing field, a label without option, a field with the
  // mask or the padding in it, or no room for the prompt.
  Question operator()(const Example& example, const std::string& path) const;

 private:
  using Tokens = std::vector<std::int32_t>;
  struct Part {
    PromptTemplate::Kind kind;
    Tokens tokens;
    std::int64_t lost = 0;  // tokens, to first_tokens()
  };
  std::vector<Part> parts_of(const Example& example, const std::string& where) const;
  std::int64_t cut(std::vector<Part>& parts, const std::string& where) const;

  const Task& task_;
  const Tokenizer& tokenizer_;
  std::int64_t max_length_;
  Tokens start_, end_, words_;
  std::int32_t mask_ = 0;
};

}  // namespace mezo
