#include "core/io/safetensors.h"

#include <fmt/format.h>

#include <set>

#include "core/error.h"
#include "core/io/json_text.h"
#include "core/io/quote.h"
#include "core/io/safetensors_header.h"

namespace mezo {
namespace {

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

// A path that cannot be looked at (a folder without permission) is not there; opening it then says
// why.
bool there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// Tensor name -> shard file name.
std::map<std::string, std::string> read_index(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string place = "[load_safetensors] " + file.path();
  const auto bytes = file.bytes();
  const auto root = parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, place);
  const auto map = root.is_object() ? root.find("weight_map") : root.end();
  if (map == root.end() || !map->is_object() || map->empty()) {
    throw ModelError(
        fmt::format("{}: expected an object weight_map with an entry a tensor, got none", place));
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : map->items()) {
    // A shard is a file of this folder: an index must not reach other places of the machine.
    const std::string name = shard.is_string() ? shard.get<std::string>() : std::string();
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      throw ModelError(
          fmt::format("{}: tensor {}: expected the name of a file in this folder, got {}", place,
                      quote(tensor), shard.is_string() ? quote(name) : shard.type_name()));
    }
    shard_of.emplace(tensor, name);
  }
  return shard_of;
}

TensorFile load_shards(const std::filesystem::path& folder) {
  const std::filesystem::path index_path = folder / kIndex;
  const auto shard_of = read_index(index_path);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);

  TensorFile::Files files;
  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string, std::less<>> found_in;
  for (const std::string& shard : shards) {
    if (!there(folder / shard)) {
      throw ModelError(fmt::format("[load_safetensors] {}: expected the shard {}, got no such file",
                                   index_path.string(), quote(shard)));
    }
    files.push_back(std::make_shared<MappedFile>(folder / shard));
    SafetensorsHeader header = parse_safetensors_header(*files.back());
    for (TensorView& tensor : header.tensors) {
      found_in.emplace(tensor.name, shard);
      tensors.push_back(std::move(tensor));
    }
    metadata.merge(header.metadata);
  }
  TensorFile all(std::move(files), std::move(tensors), std::move(metadata));
  for (const auto& [tensor, shard] : shard_of) {
    const auto place = found_in.find(tensor);
    if (place == found_in.end() || place->second != shard) {
      throw ModelError(
          fmt::format("[load_safetensors] {}: tensor {}: expected it in {}, got {}",
                      index_path.string(), quote(tensor), quote(shard),
                      place == found_in.end() ? "no such tensor" : quote(place->second)));
    }
  }
  return all;
}

}  // namespace

TensorFile load_safetensors(std::shared_ptr<const MappedFile> file) {
  SafetensorsHeader header = parse_safetensors_header(*file);
  return TensorFile({std::move(file)}, std::move(header.tensors), std::move(header.metadata));
}

TensorFile load_safetensors(const std::filesystem::path& path) {
  return load_safetensors(std::make_shared<const MappedFile>(path));
}

TensorFile load_safetensors_folder(const std::filesystem::path& folder) {
  if (there(folder / kSingle)) return load_safetensors(folder / kSingle);
  if (there(folder / kIndex)) return load_shards(folder);
  const bool pickled =
      there(folder / "pytorch_model.bin") || there(folder / "pytorch_model.bin.index.json");
  throw ModelError(fmt::format(
      "[load_safetensors] {}: expected {} or {}, got neither{}", folder.string(), kSingle, kIndex,
      pickled ? "; convert pytorch_model.bin to safetensors first"
      : there(folder / "consolidated.safetensors")
          ? "; consolidated.safetensors has Mistral's own names: take the files that "
            "are published beside it for transformers"
          : ""));
}

}  // namespace mezo
