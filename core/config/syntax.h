#pragma once
// yaml-cpp's error messages in words for people who do not know its grammar. Private to
// core/config.

#include <string>
#include <string_view>

#include "core/config/source.h"

namespace mezo {

struct SyntaxMessage {
  std::string message;
  std::string hint;
};

// `at` is where yaml-cpp stopped. The source's lines tell a tab in the indentation from other
// mistakes; `at` then moves to it.
SyntaxMessage explain_syntax(std::string_view yaml_message, Mark& at);

}  // namespace mezo
