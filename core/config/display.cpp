#include "core/config/display.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mezo {
namespace {

// One character of UTF-8 text; length 0 where the bytes are not valid.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;
};

Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  std::uint32_t code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, length};
}

bool is_printable(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  // Line separators and the marks that turn the writing direction would garble what follows them.
  const bool layout = (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return !control && !layout && code != 0xFEFF;
}

// Terminal columns, near enough: combining accents take none, East Asian characters and emoji two.
int cells(std::uint32_t code) {
  if (code >= 0x300 && code <= 0x36F) return 0;
  static constexpr std::uint32_t wide[][2] = {
      {0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
      {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
  for (const auto& range : wide)
    if (code >= range[0] && code <= range[1]) return 2;
  return 1;
}

struct Cell {
  std::string text;
  int width = 1;
};

std::vector<Cell> split(std::string_view line) {
  std::vector<Cell> result;
  for (std::size_t i = 0; i < line.size();) {
    const Character c = decode(line.substr(i));
    const std::size_t length = std::max<std::size_t>(c.length, 1);
    if (line[i] == '\t')
      result.push_back({" ", 1});
    else if (c.length == 0 || !is_printable(c.code))
      result.push_back({"?", 1});
    else
      result.push_back({std::string(line.substr(i, length)), cells(c.code)});
    i += length;
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t line = 0, left_out = 0;  // bytes of the line that were shown, and that were not
  const auto end_line = [&] {
    if (left_out > 0) out += fmt::format("… ({} bytes more)", left_out);
    line = left_out = 0;
  };
  for (std::size_t i = 0; i < text.size();) {
    const Character c = decode(text.substr(i));
    const std::size_t length = std::max<std::size_t>(c.length, 1);
    if (text[i] == '\n') {
      end_line();
      out += '\n';
    } else if (line >= limit) {
      left_out += length;
    } else if (text[i] == '\t' || (c.length > 0 && is_printable(c.code))) {
      out += text.substr(i, length);
      line += length;
    } else {
      for (const char byte : text.substr(i, length))
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
      line += length;
    }
    i += length;
  }
  end_line();
  return out;
}

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = decode(text.substr(i)).length;
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

int column_at(std::string_view line, std::size_t byte) {
  int column = 1;
  for (std::size_t i = 0; i < line.size(); ++column) {
    const std::size_t length = std::max<std::size_t>(decode(line.substr(i)).length, 1);
    if (byte < i + length) return column;
    i += length;
  }
  return column;
}

std::string shown(std::string_view text, std::size_t limit) {
  std::string result = "'";
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    if (count == limit) return result + "...'";
    const Character c = decode(text.substr(i));
    const std::size_t length = std::max<std::size_t>(c.length, 1);
    if (text[i] == '\n')
      result += "\\n";
    else if (text[i] == '\t')
      result += "\\t";
    else if (c.length == 0)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    else if (!is_printable(c.code))
      result +=
          c.code < 0x100 ? fmt::format("\\x{:02x}", c.code) : fmt::format("\\u{:04x}", c.code);
    else
      result += text.substr(i, length);
    i += length;
  }
  return result + "'";
}

Excerpt excerpt(std::string_view line, int column, int width) {
  const std::vector<Cell> all = split(line);
  const int size = static_cast<int>(all.size());
  const int at = std::clamp(column - 1, 0, size);
  int begin = 0, end = size;
  if (size > width) {
    begin = std::clamp(at - width / 2, 0, size - width);
    end = begin + width;
  }
  Excerpt result;
  if (begin > 0) result.line = result.caret = "...";
  std::fill(result.caret.begin(), result.caret.end(), ' ');
  for (int i = begin; i < end; ++i) {
    result.line += all[i].text;
    if (i < at) result.caret.append(all[i].width, ' ');
  }
  if (end < size) result.line += "...";
  result.caret += '^';
  return result;
}

}  // namespace mezo
