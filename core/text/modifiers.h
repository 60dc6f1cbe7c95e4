#pragma once
// What a prompt may do to a field before it is filled in: {question|capitalize}. A closed table of
// plain functions, so that prompts stay data. Used by PromptTemplate; mezo validate and the docs
// list them.

#include <span>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

struct Modifier {
  enum class Takes { nothing, one_text, two_texts, pairs, number };

  std::string_view name;
  std::string_view arguments;  // as a template writes them: "('a', 'b')"
  std::string_view doc;
  Takes takes;
  // The arguments are as many as it takes. Throws DataError that goes on behind "the field 'x' ".
  // Null of first_tokens(), which whoever has the tokens applies.
  std::string (*apply)(std::string_view text, std::span<const std::string> arguments);
};

// All of them, by name. A letter is a code point; case changes one code point into one.
MEZO_API std::span<const Modifier> modifiers();

const Modifier* find_modifier(std::string_view name);  // null where there is none

}  // namespace mezo
