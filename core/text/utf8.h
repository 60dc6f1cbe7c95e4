#pragma once
// UTF-8 in and out, for the tokenizer and the prompt templates. Linear, no allocation but the
// result.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

struct CodePoint {
  char32_t value;      // U+FFFD where the bytes are not UTF-8
  std::size_t length;  // bytes read: of the code point, or of the maximal invalid subpart
  bool valid;
};

// The code point at text[at]; at must be inside the text.
CodePoint code_point_at(std::string_view text, std::size_t at);

void append_utf8(std::string& text, char32_t c);

// Each maximal subpart that is not UTF-8 becomes one U+FFFD, as in Python's
// bytes.decode('utf-8', 'replace') and in the Unicode standard, section 3.9.
MEZO_API std::string replace_invalid_utf8(std::string_view text);

}  // namespace mezo
