#pragma once
// The bytes of trajectory.mezo, each piece of them once: what the writer puts down and the reader
// expects. docs/trajectory.md describes them for other programs. All integers are little-endian.

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "core/zo/trajectory.h"

namespace mezo::trajectory_format {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

// Not text, and damaged by whatever takes it for text (line ends, 7-bit channels).
inline constexpr std::string_view magic = "\x89MEZO\r\n\x1A";
// 1 called a step's scalars its probes; it is read, and a file of it goes on as it began.
inline constexpr std::uint32_t version = 2;
inline constexpr std::int64_t prologue_bytes = 16;  // magic, version, bytes of JSON
inline constexpr std::int64_t head_bytes = 4;       // kind, count (2 bytes), crc8 of those
inline constexpr std::int64_t check_bytes = 4;      // crc32, behind the header and each record
inline constexpr std::int64_t segment_unit = 64;    // a segment's JSON is padded to a multiple
inline constexpr std::int64_t most_count = 0xFFFF;
inline constexpr std::int64_t end_bytes = 4 + 32;  // step, sha256

enum class Kind : std::uint8_t { block = 1, segment = 2, end = 3 };

struct Head {
  Kind kind = Kind::block;
  std::uint16_t count = 0;  // block: steps; segment: units of JSON; end: 0

  // Of what follows the head, without the check.
  MEZO_API std::int64_t payload_bytes(std::uint32_t scalars) const;
};

// nullopt: these four bytes are no head.
MEZO_API std::optional<Head> read_head(std::string_view bytes);

// A record with its check, which covers it and, through `crc`, everything before it. `crc` becomes
// the check.
std::string record(Head head, std::string_view payload, std::uint32_t& crc);

MEZO_API std::string header(const TrajectoryHeader& header);  // with prologue and check
std::string block(std::span<const std::vector<float>> steps, std::uint32_t& crc);
std::string segment(const Segment& segment, std::uint32_t version, std::uint32_t& crc);
std::string end(const EndRecord& end, std::uint32_t& crc);

// Throw nlohmann::json::exception for JSON of another shape.
TrajectoryHeader header_of(const nlohmann::json& json, std::uint32_t version);
Segment segment_of(const nlohmann::json& json, std::uint32_t version);
EndRecord end_of(std::string_view payload);

template <typename Number>
Number number_at(std::string_view bytes, std::size_t offset) {
  Number n;
  std::memcpy(&n, bytes.data() + offset, sizeof n);
  return n;
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace mezo::trajectory_format
