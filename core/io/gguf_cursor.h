#pragma once
// Reads a GGUF file's header from front to back without ever passing the end of the bytes. Used by
// the loader and, to decode values that it has walked before, by GgufMetadata. Sizes that a file
// claims are compared with what is left before anything is allocated or skipped.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/io/gguf_metadata.h"

namespace mezo {

class GgufCursor {
 public:
  // `path` is for messages and must outlive the cursor.
  GgufCursor(std::string_view path, std::span<const std::byte> bytes)
      : path_(path), bytes_(bytes) {}

  uint64_t offset() const { return offset_; }
  uint64_t left() const { return bytes_.size() - offset_; }

  // The next `size` bytes; throws ModelError, naming `what`, when the file ends before.
  std::span<const std::byte> take(uint64_t size, std::string_view what);

  uint32_t uint32(std::string_view what) { return number<uint32_t>(what); }
  uint64_t uint64(std::string_view what) { return number<uint64_t>(what); }

  // A length and as many bytes.
  std::string_view string(std::string_view what);

  // A value of type `type`, walked to its end: arrays may nest at most 8 deep.
  GgufValue value(GgufType type, int depth = 0);

  // The number of a value type; throws ModelError when there is none of it.
  GgufType type();

 private:
  template <typename T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }
  GgufValue array(int depth);

  std::string_view path_;
  std::span<const std::byte> bytes_;
  uint64_t offset_ = 0;
};

}  // namespace mezo
