#pragma once
// When a text that is being generated is finished, and what it is then. One object a text.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/text/tokenizer.h"

namespace mezo {

enum class Finish {
  end_token,    // the model ended its text
  stop_string,  // one of those that were given came
  length,       // as many tokens as were asked for, or as the model has positions for
  not_a_number  // the model's logits were no numbers: the weights are damaged or diverged
};

MEZO_API const char* name_of(Finish);  // "eos", "stop", "length", "not_a_number"

// What ends a text.
struct TextEnds {
  std::int64_t max_new_tokens = 16;
  std::vector<std::int32_t> end_tokens;  // of the model
  std::vector<std::string> stop;         // strings that end a text and are no part of it
};

struct Generated {
  std::vector<std::int32_t> tokens;  // as they came, with the one that ended them
  std::string text;  // of them, as Tokenizer::readable() has it, up to a stop string
  Finish finish = Finish::length;
};

class MEZO_API TextEnding {
 public:
  // `room`: tokens that the model can still predict behind the prompt; at least 1. Keeps
  // references.
  TextEnding(const TextEnds& ends, const Tokenizer& tokenizer, std::int64_t room);

  // Takes the next token; true where it was the last.
  bool add(std::int32_t token);
  bool fail();  // instead of a token: there is none, as logits are no numbers; true

  bool finished() const { return finish_.has_value(); }
  std::span<const std::int32_t> tokens() const { return tokens_; }
  Generated result() const;  // of a finished text

 private:
  // Where the first stop string begins in the text so far.
  std::optional<std::size_t> stop_place(const std::string& text) const;
  std::string recent_text() const;

  const TextEnds& ends_;
  const Tokenizer& tokenizer_;
  std::int64_t most_;
  std::size_t longest_stop_ = 0;  // in bytes
  std::vector<std::int32_t> tokens_;
  std::optional<Finish> finish_;
};

}  // namespace mezo
