#include "core/io/gguf_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNumber = "split.no";
constexpr const char* kCount = "split.count";
constexpr const char* kTensors = "split.tensors.count";

// From 0 on.
std::string suffix_of(int64_t number, int64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", number + 1, count);
}

void require(const GgufMetadata& metadata, const char* key, int64_t expected) {
  const int64_t got = metadata.integer(key);
  if (got != expected)
    throw ModelError(
        fmt::format("[load_gguf] {}: key \"{}\": expected {}, as the other files of "
                    "the split model have it, got {}",
                    metadata.path(), key, expected, got));
}

bool same(const GgufValue* a, const GgufValue& b) {
  return a != nullptr && a->type == b.type && a->element_type == b.element_type &&
         a->count == b.count && std::ranges::equal(a->bytes, b.bytes);
}

// Nobody reads the metadata of a later part, so it must not say anything of its own.
void check_keys(const GgufMetadata& first, const GgufMetadata& later) {
  for (const auto& [key, value] : later.values())
    if (key != kNumber && key != "general.alignment" && !same(first.find(key), value))
      throw ModelError(
          fmt::format("[load_gguf] {}: key {}: expected what the first file of the split model "
                      "has, {}, got another {}",
                      later.path(), quote(key), first.path(), value.type_name()));
}

std::string beginning_of(const fs::path& path, int64_t number, int64_t count) {
  const std::string name = path.filename().string(), suffix = suffix_of(number, count);
  if (!name.ends_with(suffix))
    throw ModelError(
        fmt::format("[load_gguf] {}: file {} of the {} that the model is split into: "
                    "expected a name that ends in {}, by which the others are found, "
                    "got {}",
                    path.string(), number + 1, count, suffix, quote(name)));
  return name.substr(0, name.size() - suffix.size());
}

std::shared_ptr<const MappedFile> open_part(const fs::path& path, const fs::path& given,
                                            int64_t count) {
  std::error_code none;
  if (!fs::exists(path, none))
    throw ModelError(
        fmt::format("[load_gguf] {}: one of the {} files that the model is split "
                    "into, {}, is missing",
                    given.string(), count, path.string()));
  return std::make_shared<const MappedFile>(path);
}

}  // namespace

GgufFile with_other_parts(GgufFile part, const fs::path& path) {
  const int64_t count = part.metadata.integer(kCount, 1);
  if (count <= 1) return part;
  const std::string beginning = beginning_of(path, part.metadata.integer(kNumber), count);
  TensorFile::Files files;
  std::vector<TensorView> tensors;
  GgufMetadata metadata;
  for (int64_t i = 0; i < count; ++i) {
    files.push_back(open_part(path.parent_path() / (beginning + suffix_of(i, count)), path, count));
    GgufFile read = load_gguf(files.back());
    require(read.metadata, kNumber, i);
    require(read.metadata, kCount, count);
    if (i == 0) metadata = read.metadata;
    check_keys(metadata, read.metadata);
    tensors.insert(tensors.end(), read.tensors.tensors().begin(), read.tensors.tensors().end());
  }
  require(metadata, kTensors, static_cast<int64_t>(tensors.size()));
  return {TensorFile(std::move(files), std::move(tensors)), std::move(metadata)};
}

}  // namespace mezo
