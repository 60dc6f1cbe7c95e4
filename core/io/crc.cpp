#include "core/io/crc.h"

#include <array>

namespace mezo {

namespace {

constexpr std::array<std::uint32_t, 256> crc32_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? (c >> 1) ^ 0xEDB88320u : c >> 1;
    table[i] = c;
  }
  return table;
}();

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint32_t c = ~before;
  for (const std::byte b : bytes)
    c = crc32_table[(c ^ static_cast<std::uint32_t>(b)) & 0xFF] ^ (c >> 8);
  return ~c;
}

std::uint8_t crc8(std::span<const std::byte> bytes) {
  unsigned c = 0xFF;
  for (const std::byte b : bytes) {
    c ^= static_cast<unsigned>(b);
    for (int bit = 0; bit < 8; ++bit) c = c & 0x80 ? (c << 1) ^ 0x07 : c << 1;
    c &= 0xFF;
  }
  return static_cast<std::uint8_t>(c);
}

}  // namespace mezo
