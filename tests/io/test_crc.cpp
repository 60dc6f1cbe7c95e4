#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "core/io/crc.h"

using namespace mezo;

namespace {
std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
}  // namespace

TEST_CASE("crc32 is zlib's, and goes on where it stopped") {
  CHECK(crc32(bytes("123456789")) == 0xCBF43926u);  // the check value of the catalogue of CRCs
  CHECK(crc32(bytes("")) == 0);
  CHECK(crc32(bytes("6789"), crc32(bytes("12345"))) == 0xCBF43926u);
}

TEST_CASE("crc8 notices every change within a byte, and zeros") {
  const std::string_view text("\x01\x14\x00", 3);
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int change = 1; change < 256; ++change) {
      std::string other(text);
      other[i] = static_cast<char>(other[i] ^ change);
      CHECK(crc8(bytes(other)) != crc8(bytes(text)));
    }
  CHECK(crc8(bytes(std::string_view("\0\0\0", 3))) != 0);
}
