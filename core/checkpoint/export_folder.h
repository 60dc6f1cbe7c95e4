#pragma once
// Writes a model as a Hugging Face folder: model.safetensors (or shards with their index),
// config.json and the tokenizer, as transformers loads them. The weights come through a reader, so
// that it does not matter where and in which type they are kept. The folder appears whole or not at
// all (core/io/new_folder.h).
//
// Costs the memory of the largest tensor three times (the weights and those before training in
// fp32, and what is written), whatever the model's size, and reads the base file once.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/checkpoint/load_model.h"
#include "core/checkpoint/rounding_cost.h"
#include "core/io/dtype.h"

namespace mezo {

// Fills a span of the parameter's size with its values in fp32, in the declared shape's order.
// Called once a parameter, one after the other.
using WeightReader = std::function<void(Parameter, std::span<float>)>;

struct ExportOptions {
  // F32, F16 or BF16: every tensor is written so. Nothing: each as the base file has it; a
  // quantised one, which safetensors has no form for, and F64 in F32.
  std::optional<DType> dtype;
  // Of a file's data, as long as a tensor alone is not larger. 5 GB, as transformers has it.
  std::int64_t shard_bytes = 5'000'000'000;
};

struct MEZO_API ExportReport {
  std::string path;
  std::vector<std::string> files;          // in the folder
  std::int64_t tensors = 0, bytes = 0;     // written, and of their data
  std::map<std::string, int> types;        // tensors written as "F16" …
  std::map<std::string, int> dequantised;  // of these, tensors that the base has as "Q4_1" …
  std::vector<std::string> left_out;       // tensors of the base that the model does not use
  RoundingCost rounding;                   // rounding.text() is the line for a user

  // All of it for a user, a line each.
  std::vector<std::string> lines() const;
};

// What `auto`, float32, float16 and bfloat16 ask for; throws ConfigError for another name.
MEZO_API std::optional<DType> export_dtype(const std::string& name);

// `path` must not exist or be an empty folder; missing folders above it are made. Throws RunError
// when it holds something, cannot be written (with the system's reason), or a weight is not finite
// or too large for its type; ModelError when the base file is not what the model was loaded from,
// or its family cannot be written. Nothing is left behind then.
MEZO_API ExportReport export_folder(const LoadedModel& model, const WeightReader& read,
                                    const std::filesystem::path& path,
                                    const ExportOptions& options = {});

}  // namespace mezo
