#include "core/checkpoint/shards.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace mezo {

std::vector<Shard> plan_shards(const std::vector<TensorView>& tensors, std::int64_t limit) {
  std::vector<Shard> shards(1);
  for (const TensorView& tensor : tensors) {
    const std::int64_t bytes = bytes_of(tensor.dtype, tensor.count());
    if (!shards.back().tensors.empty() && shards.back().bytes + bytes > limit)
      shards.emplace_back();
    shards.back().tensors.push_back(tensor);
    shards.back().bytes += bytes;
  }
  for (std::size_t i = 0; i < shards.size(); ++i)
    shards[i].file = shards.size() == 1
                         ? "model.safetensors"
                         : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
  return shards;
}

std::string shard_index(const std::vector<Shard>& shards) {
  nlohmann::json weight_map = nlohmann::json::object();
  std::int64_t bytes = 0, parameters = 0;
  for (const Shard& shard : shards) {
    bytes += shard.bytes;
    for (const TensorView& tensor : shard.tensors) {
      parameters += tensor.count();
      weight_map[tensor.name] = shard.file;
    }
  }
  const nlohmann::json index = {
      {"metadata", {{"total_parameters", parameters}, {"total_size", bytes}}},
      {"weight_map", std::move(weight_map)}};
  return index.dump(2) + "\n";
}

}  // namespace mezo
