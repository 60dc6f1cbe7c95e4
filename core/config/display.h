#pragma once
// Text as it can be shown on a terminal: what a user wrote may be long, broken or full of control
// characters, and an error message must neither be garbled by it nor let it move the cursor.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

// The first byte that does not belong to valid UTF-8 (overlong forms and surrogates included), or
// npos.
MEZO_API std::size_t find_invalid_utf8(std::string_view text);

// The character (from 1) that byte offset `byte` of a line lies in; past the end it is one after
// the last.
MEZO_API int column_at(std::string_view line, std::size_t byte);

// 'text' in single quotes with control characters escaped, cut after `limit` characters.
MEZO_API std::string shown(std::string_view text, std::size_t limit = 60);

// Lines as they are, but control characters and what is not UTF-8 escaped (\n and \t stay), and
// each line cut after `limit` bytes with the number of those left out.
MEZO_API std::string printable(std::string_view text, std::size_t limit = 4000);

// A source line and the line with a caret under `column`, both cut to about `width` terminal
// columns around it. Tabs become one space, what cannot be printed becomes '?'.
struct Excerpt {
  std::string line;
  std::string caret;
};
MEZO_API Excerpt excerpt(std::string_view line, int column, int width = 100);

}  // namespace mezo
