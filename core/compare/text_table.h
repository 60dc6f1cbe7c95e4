#pragma once
// Cells of text as columns of one width each, for a terminal.

#include <string>
#include <vector>

namespace mezo {

struct Column {
  std::vector<std::string> cells;  // heads first; each column has as many
  bool right = false;
};

// Lines with their ends. The first column names the rows; where `width` has no room for all the
// others, those that are left follow in another block, named again.
std::string text_table(const std::vector<Column>& columns, std::size_t width);

// In columns of a terminal, one for each character.
std::size_t shown_width(const std::string& text);

}  // namespace mezo
