#include "core/io/gguf.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "core/error.h"
#include "core/io/ggml_type.h"
#include "core/io/gguf_cursor.h"
#include "core/io/gguf_shards.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kLeastPair = 8 + 4 + 1;        // an empty key, a type, a byte
constexpr uint64_t kLeastTensor = 8 + 4 + 4 + 8;  // an empty name, no dimensions, type, offset
constexpr uint32_t kMaxDimensions = 4;

struct TensorInfo {
  TensorView view;  // without its data
  uint64_t offset;  // from the start of the data
};

void check_version(const std::string& path, GgufCursor& cursor) {
  const auto magic = cursor.take(4, "the magic bytes GGUF");
  const std::string_view text(reinterpret_cast<const char*>(magic.data()), magic.size());
  if (text != "GGUF") {
    throw ModelError(fmt::format("[load_gguf] {}: expected a file that begins with GGUF, got {}",
                                 path, quote(text)));
  }
  const uint32_t version = cursor.uint32("the version");
  if (version == 2 || version == 3) return;
  const bool big_endian = version != 0 && (version & 0xffffu) == 0;
  throw ModelError(
      fmt::format("[load_gguf] {}: expected version 2 or 3, little-endian, got {}", path,
                  big_endian ? "a big-endian file" : fmt::format("version {}", version)));
}

// Compares a count that the file claims with what is left of the file.
void check_count(const std::string& path, uint64_t count, uint64_t left, uint64_t least,
                 const char* what) {
  if (count > left / least) {
    throw ModelError(fmt::format(
        "[load_gguf] {}: expected a number of {} that fits a file of {} more bytes, got {}", path,
        what, left, count));
  }
}

std::map<std::string, GgufValue, std::less<>> read_pairs(const std::string& path,
                                                         GgufCursor& cursor, uint64_t count) {
  std::map<std::string, GgufValue, std::less<>> values;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view key = cursor.string("a key");
    const GgufType type = cursor.type();
    if (!values.emplace(key, cursor.value(type)).second) {
      throw ModelError(
          fmt::format("[load_gguf] {}: key {}: expected it once, got it twice", path, quote(key)));
    }
  }
  return values;
}

uint64_t alignment_of(const GgufMetadata& metadata) {
  constexpr const char* kKey = "general.alignment";
  const GgufValue* value = metadata.find(kKey);
  if (value == nullptr) return kDefaultAlignment;
  const int64_t alignment = metadata.integer(kKey);
  if (value->type != GgufType::Uint32 || !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    throw ModelError(
        fmt::format("[load_gguf] {}: key \"{}\": expected a power of two as uint32, got {} as {}",
                    metadata.path(), kKey, alignment, value->type_name()));
  }
  return static_cast<uint64_t>(alignment);
}

TensorInfo read_tensor_info(const std::string& path, GgufCursor& cursor) {
  TensorInfo info;
  info.view.name = cursor.string("a tensor's name");
  const std::string place = fmt::format("[load_gguf] {}: tensor {}", path, quote(info.view.name));
  const uint32_t dimensions = cursor.uint32("a tensor's number of dimensions");
  if (dimensions > kMaxDimensions) {
    throw ModelError(fmt::format("{}: expected at most {} dimensions, got {}", place,
                                 kMaxDimensions, dimensions));
  }
  std::vector<int64_t>& shape = info.view.shape;
  for (uint32_t i = 0; i < dimensions; ++i) {
    const uint64_t extent = cursor.uint64("a tensor's dimension");
    if (!std::in_range<int64_t>(extent)) {
      throw ModelError(fmt::format("{}: expected dimensions below 2^63, got {}", place, extent));
    }
    shape.insert(shape.begin(), static_cast<int64_t>(extent));  // ne counts from the innermost
  }
  const uint32_t type = cursor.uint32("a tensor's type");
  const auto dtype = dtype_of_ggml(type);
  if (!dtype) {
    throw ModelError(
        fmt::format("{}: expected one of {}, got {}", place, ggml_types(), ggml_type_name(type)));
  }
  info.view.dtype = *dtype;
  if (!element_count(shape)) {
    throw ModelError(fmt::format("{}: expected at most 2^59 elements, got shape [{}]", place,
                                 fmt::join(shape, ", ")));
  }
  const int64_t row = shape.empty() ? 1 : shape.back();
  if (row % block_size(*dtype) != 0) {
    throw ModelError(fmt::format("{}: expected rows of a multiple of {} for {}, got {}", place,
                                 block_size(*dtype), name_of(*dtype), row));
  }
  info.offset = cursor.uint64("a tensor's offset");
  return info;
}

void place_data(const std::string& path, TensorInfo& info, std::span<const std::byte> data,
                uint64_t alignment) {
  const std::string place = fmt::format("[load_gguf] {}: tensor {}", path, quote(info.view.name));
  if (info.offset % alignment != 0) {
    throw ModelError(fmt::format("{}: expected an offset that is a multiple of {}, got {}", place,
                                 alignment, info.offset));
  }
  const auto size = static_cast<uint64_t>(bytes_of(info.view.dtype, info.view.count()));
  if (info.offset > data.size() || size > data.size() - info.offset) {
    throw ModelError(fmt::format(
        "{}: expected data within the {} bytes after the header, got {} bytes at offset {}", place,
        data.size(), size, info.offset));
  }
  info.view.data = data.subspan(info.offset, size);
}

void check_overlap(const std::string& path, std::vector<TensorInfo>& infos) {
  std::ranges::sort(infos, {}, [](const TensorInfo& info) {
    return std::pair(info.offset,
                     info.view.data.size());  // an empty tensor comes before what begins there
  });
  uint64_t end = 0;
  const TensorInfo* before = nullptr;
  for (const TensorInfo& info : infos) {
    if (info.view.data.empty()) continue;
    if (before != nullptr && info.offset < end) {
      throw ModelError(fmt::format(
          "[load_gguf] {}: tensor {}: expected an offset from {} on, where {} ends, got {}", path,
          quote(info.view.name), end, quote(before->view.name), info.offset));
    }
    end = info.offset + info.view.data.size();
    before = &info;
  }
}

std::vector<TensorView> read_tensors(const MappedFile& file, GgufCursor& cursor, uint64_t count,
                                     uint64_t alignment) {
  std::vector<TensorInfo> infos;
  for (uint64_t i = 0; i < count; ++i) infos.push_back(read_tensor_info(file.path(), cursor));
  // A file without tensors (a vocabulary) may end before the alignment does.
  const uint64_t begin = (cursor.offset() + alignment - 1) / alignment * alignment;
  const auto data = file.bytes().subspan(std::min<uint64_t>(begin, file.bytes().size()));
  for (TensorInfo& info : infos) place_data(file.path(), info, data, alignment);
  check_overlap(file.path(), infos);
  std::vector<TensorView> tensors;
  for (TensorInfo& info : infos) tensors.push_back(std::move(info.view));
  return tensors;
}

}  // namespace

GgufFile load_gguf(std::shared_ptr<const MappedFile> file) {
  const std::string& path = file->path();
  GgufCursor cursor(path, file->bytes());
  check_version(path, cursor);
  const uint64_t tensors = cursor.uint64("the number of tensors");
  const uint64_t pairs = cursor.uint64("the number of keys");
  check_count(path, tensors, cursor.left(), kLeastTensor, "tensors");
  check_count(path, pairs, cursor.left(), kLeastPair, "keys");
  GgufMetadata metadata(file, read_pairs(path, cursor, pairs));
  auto views = read_tensors(*file, cursor, tensors, alignment_of(metadata));
  return {TensorFile({std::move(file)}, std::move(views)), std::move(metadata)};
}

GgufFile load_gguf(const std::filesystem::path& path) {
  return with_other_parts(load_gguf(std::make_shared<const MappedFile>(path)), path);
}

}  // namespace mezo
