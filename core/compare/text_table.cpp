#include "core/compare/text_table.h"

#include <algorithm>

namespace mezo {

namespace {

constexpr std::size_t gap = 2;

std::size_t width_of(const Column& column) {
  std::size_t width = 0;
  for (const std::string& cell : column.cells) width = std::max(width, shown_width(cell));
  return width;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string room(width - shown_width(text), ' ');
  return right ? room + text : text + room;
}

std::string block(const std::vector<const Column*>& columns) {
  std::string lines;
  for (std::size_t row = 0; row < columns[0]->cells.size(); ++row) {
    std::string line;
    for (const Column* column : columns)
      line += (column == columns[0] ? "" : std::string(gap, ' ')) +
              padded(column->cells[row], width_of(*column), column->right);
    line.erase(line.find_last_not_of(' ') + 1);
    lines += line + "\n";
  }
  return lines;
}

}  // namespace

std::size_t shown_width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string text_table(const std::vector<Column>& columns, std::size_t width) {
  std::string text;
  const std::size_t names = width_of(columns[0]);
  for (std::size_t next = 1; next < columns.size();) {
    std::vector<const Column*> fitting{&columns[0]};
    std::size_t used = names;
    do {
      used += gap + width_of(columns[next]);
      if (used > width && fitting.size() > 1) break;
      fitting.push_back(&columns[next++]);
    } while (next < columns.size());
    text += (text.empty() ? "" : "\n") + block(fitting);
  }
  return text;
}

}  // namespace mezo
