#pragma once
// The header of a safetensors file: where it ends and what it says. Used by the loader alone; it
// parses and checks, and touches no tensor data.

#include <map>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"

namespace mezo {

struct SafetensorsHeader {
  std::vector<TensorView> tensors;  // ordered by where their data begins
  std::map<std::string, std::string> metadata;
};

// Throws ModelError for every violation of the format.
SafetensorsHeader parse_safetensors_header(const MappedFile& file);

}  // namespace mezo
