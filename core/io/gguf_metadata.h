#pragma once
// The key-value part of a GGUF file: architecture, sizes, the tokenizer's word list. Used by
// whoever builds a model or a tokenizer from one. Values stay in the mapping and are decoded when
// asked for, so an array of 50,000 strings costs nothing until then; the loader has already walked
// every value, so decoding cannot run out of the file.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/io/mapped_file.h"

namespace mezo {

// The numbers are the format's own.
enum class GgufType : uint32_t {
  Uint8 = 0,
  Int8 = 1,
  Uint16 = 2,
  Int16 = 3,
  Uint32 = 4,
  Int32 = 5,
  Float32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  Uint64 = 10,
  Int64 = 11,
  Float64 = 12,
};

// One value. Valid as long as the GgufMetadata (or a copy) that it came from.
struct MEZO_API GgufValue {
  GgufType type = GgufType::Uint8;
  GgufType element_type = GgufType::Uint8;  // of an array
  uint64_t count = 1;                       // elements of an array
  // A number's bytes, a string's characters (of any encoding) or an array's elements as they stand
  // in the file.
  std::span<const std::byte> bytes;

  // "uint32", "string", "array of string": for messages.
  std::string type_name() const;

  // The value as what is asked for, or nothing: an integer of any width that fits int64; a float of
  // either width or any such integer; a bool; a string.
  std::optional<int64_t> as_integer() const;
  std::optional<double> as_number() const;
  std::optional<bool> as_boolean() const;
  std::optional<std::string_view> as_text() const;

  // The elements of an array, themselves arrays perhaps; empty for anything else. 32 bytes each.
  std::vector<GgufValue> elements() const;
};

class MEZO_API GgufMetadata {
 public:
  GgufMetadata() = default;
  GgufMetadata(std::shared_ptr<const MappedFile> file,
               std::map<std::string, GgufValue, std::less<>> values);

  // The value of `key`, or nullptr.
  const GgufValue* find(std::string_view key) const;

  // The value of `key` as one type, or as a list of one. A missing key and another type are
  // ModelErrors that name file, key, what was expected and what was got; with a fallback a missing
  // key gives that, another type is an error still.
  int64_t integer(std::string_view key) const;
  int64_t integer(std::string_view key, int64_t fallback) const;
  double number(std::string_view key) const;
  double number(std::string_view key, double fallback) const;
  bool boolean(std::string_view key) const;
  bool boolean(std::string_view key, bool fallback) const;
  std::string text(std::string_view key) const;
  std::string text(std::string_view key, std::string_view fallback) const;
  std::vector<int64_t> integers(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;
  std::vector<bool> booleans(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<GgufValue> list(std::string_view key) const;

  // All values by key. Not of a temporary, as TensorFile::tensors().
  const std::map<std::string, GgufValue, std::less<>>& values() const& { return values_; }
  const std::map<std::string, GgufValue, std::less<>>& values() && = delete;
  const std::string& path() const;

 private:
  const GgufValue& at(std::string_view key, const char* expected) const;

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, GgufValue, std::less<>> values_;
};

}  // namespace mezo
