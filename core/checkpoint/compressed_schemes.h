#pragma once
// How compressed-tensors' configuration says that weights are quantised. Used by
// compressed_tensors.cpp, which reads them.

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_config.h"

namespace mezo {

// The weights of a group of config_groups.
struct CompressedScheme {
  std::string name;
  bool floats = false, packed = false, symmetric = true;
  int bits = 8;
  std::string strategy;
  std::int64_t block_rows = 0, block_columns = 0;  // of a group; 0: all
};

// Of each group; ModelError for a value that is not read, naming its key.
std::vector<CompressedScheme> schemes_of(const ModelConfig& config);

// The whole of it.
void check_schemes(const ModelConfig& config);

// What is meant to be quantised and is not.
std::vector<std::string> scheme_notes(const ModelConfig& config);

}  // namespace mezo
