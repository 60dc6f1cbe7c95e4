#pragma once
// Which tensors go into which file of a model's folder, as transformers' save_pretrained names and
// indexes them: model.safetensors, or model-00001-of-00003.safetensors … with
// model.safetensors.index.json beside them.

#include <cstdint>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"

namespace mezo {

struct Shard {
  std::string file;
  std::vector<TensorView> tensors;  // of which only name, type and shape are read here
  std::int64_t bytes = 0;           // of their data
};

// In the given order, a new shard where the next tensor would pass `limit` bytes; a tensor that is
// larger has one of its own.
std::vector<Shard> plan_shards(const std::vector<TensorView>& tensors, std::int64_t limit);

// model.safetensors.index.json.
std::string shard_index(const std::vector<Shard>& shards);

}  // namespace mezo
