#include "core/text/precompiled_map.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

constexpr std::size_t kLongestGrapheme = 5;  // bytes; longer ones are asked for by characters

// A unit of the array: a label that must be the byte, where its children are, whether a key ends.
std::uint32_t label_of(std::uint32_t unit) { return unit & (1u << 31 | 0xFF); }
bool ends_key(std::uint32_t unit) { return unit >> 8 & 1; }
std::uint32_t value_of(std::uint32_t unit) { return unit & ~(1u << 31); }
std::uint32_t offset_of(std::uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Where the grapheme that begins at `at` ends (UAX #29), as far as those of five bytes need it:
// characters that stand before a letter, one letter, what joins it.
std::size_t grapheme_end(std::string_view text, std::size_t at) {
  if (text.substr(at).starts_with("\r\n")) return at + 2;
  CodePoint c = code_point_at(text, at);
  at += c.length;
  while (is_grapheme_prefix(c.value) && at < text.size()) {
    const CodePoint next = code_point_at(text, at);
    if (is_grapheme_control(next.value)) return at;
    c = next;
    at += c.length;
  }
  if (is_grapheme_control(c.value)) return at;
  while (at < text.size()) {
    const CodePoint next = code_point_at(text, at);
    if (!is_grapheme_extender(next.value)) break;
    at += next.length;
  }
  return at;
}

}  // namespace

PrecompiledMap::PrecompiledMap(std::string_view map, const std::string& source) {
  const std::size_t size = map.size() < 4 ? 0 : little_endian(map, 0);
  if (size == 0 || size % 4 != 0 || size > map.size() - 4)
    throw ModelError(fmt::format(
        "[tokenizer] {}: expected a precompiled map with an array that it holds, got {} bytes",
        source, map.size()));
  for (std::size_t at = 4; at < 4 + size; at += 4) units_.push_back(little_endian(map, at));
  texts_ = map.substr(4 + size);
  if (replace_invalid_utf8(texts_) != texts_)
    throw ModelError(
        fmt::format("[tokenizer] {}: expected texts of a precompiled map in UTF-8", source));
}

std::optional<std::string_view> PrecompiledMap::text_for(std::string_view key) const {
  std::size_t at = offset_of(units_[0]);
  for (const char byte : key) {
    at ^= static_cast<unsigned char>(byte);
    if (byte == 0 || at >= units_.size()) return std::nullopt;
    const std::uint32_t unit = units_[at];
    if (label_of(unit) != static_cast<unsigned char>(byte)) return std::nullopt;
    at ^= offset_of(unit);
    if (at >= units_.size()) return std::nullopt;
    if (!ends_key(unit)) continue;
    const std::size_t begin = value_of(units_[at]);
    if (begin > texts_.size()) return std::nullopt;
    return std::string_view(texts_).substr(begin, texts_.find('\0', begin) - begin);
  }
  return std::nullopt;
}

std::string PrecompiledMap::normalized(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = grapheme_end(text, at);
    const auto whole =
        end - at <= kLongestGrapheme ? text_for(text.substr(at, end - at)) : std::nullopt;
    if (whole) {
      out += *whole;
      at = end;
    }
    while (at < end) {
      const std::string_view character = text.substr(at, code_point_at(text, at).length);
      out += text_for(character).value_or(character);
      at += character.size();
    }
  }
  return out;
}

}  // namespace mezo
