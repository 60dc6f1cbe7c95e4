#include "core/io/safetensors_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr uint64_t kMaxHeader = 100'000'000;  // the package's own limit
constexpr uint64_t kLengthBytes = 8;

std::string place_of(const MappedFile& file) { return "[load_safetensors] " + file.path(); }

std::string place_of(const MappedFile& file, std::string_view tensor) {
  return fmt::format("{}: tensor {}", place_of(file), quote(tensor));
}

std::string shown(const json& value) {
  // "replace" because dump() throws on invalid UTF-8; the parser has checked, but a message must
  // never throw.
  return quote(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

// The JSON text, without the length before it.
std::string_view header_text(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (bytes.size() < kLengthBytes) {
    throw ModelError(fmt::format("{}: expected a header length of 8 bytes, got a file of {}",
                                 place_of(file), bytes.size()));
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeader || length > bytes.size() - kLengthBytes) {
    throw ModelError(fmt::format(
        "{}: expected a header of at most {} bytes (the file has {}), got a length of {}",
        place_of(file), kMaxHeader, bytes.size(), length));
  }
  const auto* text = reinterpret_cast<const char*>(bytes.data()) + kLengthBytes;
  if (length == 0 || text[0] != '{') {
    throw ModelError(fmt::format("{}: expected a header that begins with '{{', got {}",
                                 place_of(file), quote({text, std::min<uint64_t>(length, 16)})));
  }
  return {text, length};
}

std::map<std::string, std::string> parse_metadata(const MappedFile& file, const json& object) {
  if (!object.is_object()) {
    throw ModelError(fmt::format("{}: expected an object for __metadata__, got {}", place_of(file),
                                 object.type_name()));
  }
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) {
      throw ModelError(fmt::format("{}: expected a string for {} in __metadata__, got {}",
                                   place_of(file), quote(key), shown(value)));
    }
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

const json& field(const json& entry, const char* key, const std::string& place) {
  const auto found = entry.find(key);
  if (found == entry.end()) {
    throw ModelError(fmt::format("{}: expected the field {}, got {}", place, key, shown(entry)));
  }
  return *found;
}

std::vector<int64_t> parse_integers(const json& list, const char* what, const std::string& place) {
  std::vector<int64_t> integers;
  bool good = list.is_array();
  for (size_t i = 0; good && i < list.size(); ++i) {
    good = list[i].is_number_unsigned() && list[i].get<uint64_t>() <= uint64_t{INT64_MAX};
    if (good) integers.push_back(list[i].get<int64_t>());
  }
  if (!good) {
    throw ModelError(fmt::format("{}: expected integers from 0 to 2^63 - 1 for {}, got {}", place,
                                 what, shown(list)));
  }
  return integers;
}

TensorView parse_tensor(const MappedFile& file, const std::string& name, const json& entry,
                        std::span<const std::byte> data) {
  const std::string place = place_of(file, name);
  if (!entry.is_object()) {
    throw ModelError(fmt::format("{}: expected an object, got {}", place, shown(entry)));
  }
  const json& type = field(entry, "dtype", place);
  const auto dtype =
      type.is_string() ? dtype_named(type.get_ref<const std::string&>()) : std::nullopt;
  if (!dtype)
    throw ModelError(fmt::format("{}: expected a known dtype, got {}", place, shown(type)));
  auto shape = parse_integers(field(entry, "shape", place), "shape", place);
  const auto count = element_count(shape);
  if (!count) {
    throw ModelError(fmt::format("{}: expected at most 2^59 elements, got shape [{}]", place,
                                 fmt::join(shape, ", ")));
  }
  const auto range = parse_integers(field(entry, "data_offsets", place), "data_offsets", place);
  if (range.size() != 2 || range[0] > range[1] || static_cast<uint64_t>(range[1]) > data.size()) {
    throw ModelError(
        fmt::format("{}: expected data_offsets [begin, end] within the {} bytes of data, got [{}]",
                    place, data.size(), fmt::join(range, ", ")));
  }
  if (bytes_of(*dtype, *count) != range[1] - range[0]) {
    throw ModelError(fmt::format("{}: expected {} bytes for {} [{}], got {}", place,
                                 bytes_of(*dtype, *count), name_of(*dtype), fmt::join(shape, ", "),
                                 range[1] - range[0]));
  }
  return {name, *dtype, std::move(shape),
          data.subspan(static_cast<size_t>(range[0]), static_cast<size_t>(range[1] - range[0]))};
}

// The format allows neither overlap nor holes: nothing in the file is hidden and nothing is read
// twice.
void check_coverage(const MappedFile& file, std::span<const std::byte> data,
                    const std::vector<TensorView>& ordered) {
  size_t covered = 0;
  for (const TensorView& tensor : ordered) {
    const auto begin = static_cast<size_t>(tensor.data.data() - data.data());
    if (begin != covered) {
      throw ModelError(fmt::format(
          "{}: expected data to begin at {}, where the tensor before ends, got {} ({})",
          place_of(file, tensor.name), covered, begin, begin < covered ? "an overlap" : "a hole"));
    }
    covered += tensor.data.size();
  }
  if (covered != data.size()) {
    throw ModelError(fmt::format("{}: expected {} bytes of data, as the tensors say, got {}",
                                 place_of(file), covered, data.size()));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(const MappedFile& file) {
  const std::string_view text = header_text(file);
  const json root = parse_json(text, place_of(file));
  const auto data = file.bytes().subspan(kLengthBytes + text.size());
  SafetensorsHeader header;
  for (const auto& [key, value] : root.items()) {
    if (key == "__metadata__") {
      header.metadata = parse_metadata(file, value);
    } else {
      header.tensors.push_back(parse_tensor(file, key, value, data));
    }
  }
  std::ranges::sort(header.tensors, {}, [](const TensorView& tensor) {
    return std::tuple(tensor.data.data(), tensor.data.size(), std::string_view(tensor.name));
  });
  check_coverage(file, data, header.tensors);
  return header;
}

}  // namespace mezo
