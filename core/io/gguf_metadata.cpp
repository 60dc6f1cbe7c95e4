#include "core/io/gguf_metadata.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/io/gguf_cursor.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

template <typename T>
T read(const GgufValue& value) {
  T number;
  std::memcpy(&number, value.bytes.data(), sizeof number);
  return number;
}

const char* name_of(GgufType type) {
  constexpr const char* kNames[] = {"uint8",  "int8",    "uint16", "int16",  "uint32",
                                    "int32",  "float32", "bool",   "string", "array",
                                    "uint64", "int64",   "float64"};
  return kNames[static_cast<size_t>(type)];
}

// A scalar's value through `as`, or the error that names file, key and both types.
template <typename T>
T scalar(const GgufMetadata& metadata, std::string_view key, const GgufValue& value,
         const char* expected, std::optional<T> (GgufValue::*as)() const) {
  if (const auto result = (value.*as)()) return *result;
  const auto large = value.type == GgufType::Uint64 && expected == std::string_view("an integer")
                         ? fmt::format(" {}", read<uint64_t>(value))
                         : std::string();
  throw ModelError(fmt::format("[load_gguf] {}: key {}: expected {}, got {}{}", metadata.path(),
                               quote(key), expected, value.type_name(), large));
}

// An array's elements through `as`.
template <typename Out, typename T>
std::vector<Out> elements_as(const GgufMetadata& metadata, std::string_view key,
                             const GgufValue& array, const char* expected,
                             std::optional<T> (GgufValue::*as)() const) {
  if (array.type != GgufType::Array) {
    throw ModelError(fmt::format("[load_gguf] {}: key {}: expected {}, got {}", metadata.path(),
                                 quote(key), expected, array.type_name()));
  }
  std::vector<Out> out;
  out.reserve(array.count);
  GgufCursor cursor(metadata.path(), array.bytes);
  for (uint64_t i = 0; i < array.count; ++i) {
    const auto element = (cursor.value(array.element_type).*as)();
    if (!element) {
      throw ModelError(fmt::format("[load_gguf] {}: key {}: expected {}, got {} (element {})",
                                   metadata.path(), quote(key), expected, array.type_name(), i));
    }
    out.push_back(Out(*element));
  }
  return out;
}

}  // namespace

std::string GgufValue::type_name() const {
  if (type != GgufType::Array) return name_of(type);
  return fmt::format("array of {} {}", count, name_of(element_type));
}

std::optional<int64_t> GgufValue::as_integer() const {
  switch (type) {
    case GgufType::Uint8:
      return read<uint8_t>(*this);
    case GgufType::Int8:
      return read<int8_t>(*this);
    case GgufType::Uint16:
      return read<uint16_t>(*this);
    case GgufType::Int16:
      return read<int16_t>(*this);
    case GgufType::Uint32:
      return read<uint32_t>(*this);
    case GgufType::Int32:
      return read<int32_t>(*this);
    case GgufType::Int64:
      return read<int64_t>(*this);
    case GgufType::Uint64: {
      const auto number = read<uint64_t>(*this);
      if (std::in_range<int64_t>(number)) return static_cast<int64_t>(number);
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> GgufValue::as_number() const {
  if (type == GgufType::Float32) return read<float>(*this);
  if (type == GgufType::Float64) return read<double>(*this);
  if (const auto integer = as_integer()) return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<bool> GgufValue::as_boolean() const {
  if (type != GgufType::Bool) return std::nullopt;
  return read<uint8_t>(*this) != 0;
}

std::optional<std::string_view> GgufValue::as_text() const {
  if (type != GgufType::String) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::vector<GgufValue> GgufValue::elements() const {
  std::vector<GgufValue> out;
  if (type != GgufType::Array) return out;
  out.reserve(count);
  GgufCursor cursor("", bytes);
  for (uint64_t i = 0; i < count; ++i) out.push_back(cursor.value(element_type));
  return out;
}

GgufMetadata::GgufMetadata(std::shared_ptr<const MappedFile> file,
                           std::map<std::string, GgufValue, std::less<>> values)
    : file_(std::move(file)), values_(std::move(values)) {}

const std::string& GgufMetadata::path() const {
  static const std::string none;
  return file_ ? file_->path() : none;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

const GgufValue& GgufMetadata::at(std::string_view key, const char* expected) const {
  if (const GgufValue* value = find(key)) return *value;
  throw ModelError(fmt::format("[load_gguf] {}: key {}: expected {}, got no such key", path(),
                               quote(key), expected));
}

int64_t GgufMetadata::integer(std::string_view key) const {
  return scalar(*this, key, at(key, "an integer"), "an integer", &GgufValue::as_integer);
}
int64_t GgufMetadata::integer(std::string_view key, int64_t fallback) const {
  return find(key) ? integer(key) : fallback;
}
double GgufMetadata::number(std::string_view key) const {
  return scalar(*this, key, at(key, "a number"), "a number", &GgufValue::as_number);
}
double GgufMetadata::number(std::string_view key, double fallback) const {
  return find(key) ? number(key) : fallback;
}
bool GgufMetadata::boolean(std::string_view key) const {
  return scalar(*this, key, at(key, "a bool"), "a bool", &GgufValue::as_boolean);
}
bool GgufMetadata::boolean(std::string_view key, bool fallback) const {
  return find(key) ? boolean(key) : fallback;
}
std::string GgufMetadata::text(std::string_view key) const {
  return std::string(scalar(*this, key, at(key, "a string"), "a string", &GgufValue::as_text));
}
std::string GgufMetadata::text(std::string_view key, std::string_view fallback) const {
  return find(key) ? text(key) : std::string(fallback);
}
std::vector<int64_t> GgufMetadata::integers(std::string_view key) const {
  constexpr const char* kExpected = "an array of integers";
  return elements_as<int64_t>(*this, key, at(key, kExpected), kExpected, &GgufValue::as_integer);
}
std::vector<double> GgufMetadata::numbers(std::string_view key) const {
  constexpr const char* kExpected = "an array of numbers";
  return elements_as<double>(*this, key, at(key, kExpected), kExpected, &GgufValue::as_number);
}
std::vector<bool> GgufMetadata::booleans(std::string_view key) const {
  constexpr const char* kExpected = "an array of bools";
  return elements_as<bool>(*this, key, at(key, kExpected), kExpected, &GgufValue::as_boolean);
}
std::vector<std::string> GgufMetadata::texts(std::string_view key) const {
  constexpr const char* kExpected = "an array of strings";
  return elements_as<std::string>(*this, key, at(key, kExpected), kExpected, &GgufValue::as_text);
}
std::vector<GgufValue> GgufMetadata::list(std::string_view key) const {
  const GgufValue& value = at(key, "an array");
  if (value.type == GgufType::Array) return value.elements();
  throw ModelError(fmt::format("[load_gguf] {}: key {}: expected an array, got {}", path(),
                               quote(key), value.type_name()));
}

}  // namespace mezo
