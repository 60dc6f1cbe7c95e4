#pragma once
// Cyclic redundancy checks, for noticing damage in files that grow record by record
// (core/zo/trajectory.h). Not against forgery: that is what sha256.h is for.

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/api.h"

namespace mezo {

// CRC-32 as zlib, PNG and Ethernet have it; `before` continues a check, so that
// crc32(b, crc32(a)) is the check of a and b together (Python: zlib.crc32(b, zlib.crc32(a))).
MEZO_API std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);

// CRC-8 with polynomial x^8 + x^2 + x + 1 and start value 0xFF, for a few bytes: any change within
// one byte is noticed, and so are zeros.
MEZO_API std::uint8_t crc8(std::span<const std::byte> bytes);

}  // namespace mezo
