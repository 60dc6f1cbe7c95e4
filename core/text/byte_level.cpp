#include "core/text/byte_level.h"

#include <array>

#include "core/text/utf8.h"

namespace mezo {
namespace {

bool is_printable(int byte) {
  return (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
}

struct Alphabet {
  std::array<std::string, 256> spelling;
  std::array<int, 0x180> byte_of;  // by code point; -1 outside the alphabet

  Alphabet() {
    byte_of.fill(-1);
    char32_t next =
        0x100;  // bytes without a printable character of their own take those from U+0100 on
    for (int byte = 0; byte < 256; ++byte) {
      const char32_t c = is_printable(byte) ? static_cast<char32_t>(byte) : next++;
      append_utf8(spelling[byte], c);
      byte_of[c] = byte;
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet one;
  return one;
}

}  // namespace

const std::string& byte_spelling(unsigned char byte) { return alphabet().spelling[byte]; }

std::string spell_bytes(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += byte_spelling(static_cast<unsigned char>(byte));
  return out;
}

std::string spelled_bytes(std::string_view token) {
  std::string out;
  for (std::size_t at = 0; at < token.size();) {
    const CodePoint c = code_point_at(token, at);
    const int byte = c.value < alphabet().byte_of.size() ? alphabet().byte_of[c.value] : -1;
    if (byte < 0) return std::string(token);
    out += static_cast<char>(byte);
    at += c.length;
  }
  return out;
}

}  // namespace mezo
