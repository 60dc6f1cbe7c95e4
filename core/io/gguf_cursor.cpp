#include "core/io/gguf_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace mezo {
namespace {

static_assert(std::endian::native == std::endian::little, "the files read here are little-endian");

constexpr int kMaxDepth = 8;

// The bytes of a number; 0 for strings and arrays, whose size stands in the file.
uint64_t width_of(GgufType type) {
  switch (type) {
    case GgufType::Uint8:
    case GgufType::Int8:
    case GgufType::Bool:
      return 1;
    case GgufType::Uint16:
    case GgufType::Int16:
      return 2;
    case GgufType::Uint32:
    case GgufType::Int32:
    case GgufType::Float32:
      return 4;
    case GgufType::Uint64:
    case GgufType::Int64:
    case GgufType::Float64:
      return 8;
    case GgufType::String:
    case GgufType::Array:
      return 0;
  }
  return 0;
}

// The least that an element takes: a string is at least its length, an array its type and count.
uint64_t least_size_of(GgufType type) {
  if (type == GgufType::String) return 8;
  if (type == GgufType::Array) return 12;
  return width_of(type);
}

}  // namespace

std::span<const std::byte> GgufCursor::take(uint64_t size, std::string_view what) {
  if (size > left()) {
    throw ModelError(
        fmt::format("[load_gguf] {}: expected {} bytes for {} at offset {}, got {} before the end",
                    path_, size, what, offset_, left()));
  }
  const auto taken = bytes_.subspan(offset_, size);
  offset_ += size;
  return taken;
}

std::string_view GgufCursor::string(std::string_view what) {
  const auto characters = take(uint64(what), what);
  return {reinterpret_cast<const char*>(characters.data()), characters.size()};
}

GgufType GgufCursor::type() {
  const uint32_t number = uint32("a value type");
  if (number > static_cast<uint32_t>(GgufType::Float64)) {
    throw ModelError(
        fmt::format("[load_gguf] {}: expected a value type from 0 to 12 at offset {}, got {}",
                    path_, offset_ - 4, number));
  }
  return static_cast<GgufType>(number);
}

GgufValue GgufCursor::value(GgufType type, int depth) {
  if (type == GgufType::Array) return array(depth);
  GgufValue value;
  value.type = type;
  value.bytes = take(type == GgufType::String ? uint64("a string") : width_of(type), "a value");
  if (type == GgufType::Bool && value.bytes[0] > std::byte{1}) {
    throw ModelError(fmt::format("[load_gguf] {}: expected 0 or 1 for a bool at offset {}, got {}",
                                 path_, offset_ - 1, std::to_integer<int>(value.bytes[0])));
  }
  return value;
}

GgufValue GgufCursor::array(int depth) {
  if (depth >= kMaxDepth) {
    throw ModelError(
        fmt::format("[load_gguf] {}: expected arrays nested at most {} deep, got more at offset {}",
                    path_, kMaxDepth, offset_));
  }
  GgufValue array;
  array.type = GgufType::Array;
  array.element_type = type();
  array.count = uint64("an array's length");
  if (array.count > left() / least_size_of(array.element_type)) {
    throw ModelError(fmt::format(
        "[load_gguf] {}: expected an array that fits the {} bytes after offset {}, got {} elements",
        path_, left(), offset_, array.count));
  }
  const uint64_t begin = offset_;
  const uint64_t width = width_of(array.element_type);
  if (width != 0 && array.element_type != GgufType::Bool) {
    take(array.count * width, "an array");
  } else {
    for (uint64_t i = 0; i < array.count; ++i) value(array.element_type, depth + 1);
  }
  array.bytes = bytes_.subspan(begin, offset_ - begin);
  return array;
}

}  // namespace mezo
