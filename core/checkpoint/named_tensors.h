#pragma once
// From a file's tensors to the parameters that they are, by the names that a family gives
// (core/model/tensor_names.h). Used by WeightFiles.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "core/model/declaration.h"
#include "core/model/tensor_names.h"

namespace mezo {

struct NamedTensor {
  const TensorView* view = nullptr;
  std::int64_t rotary_heads = 0;
  bool transposed = false;
  float added = 0;
};

struct NamedTensors {
  std::map<std::string, NamedTensor> found;  // by the parameter's name
  std::vector<std::string> unused;           // tensors that are no parameter, as the file has them
  // By the parameter's name: under which name an export has it a second time
  // (TensorNames::synonyms).
  std::map<std::string, std::string> twice;
};

// Views point into `tensors`. Throws ModelError where two of them are one parameter.
NamedTensors name_tensors(const TensorFile& tensors, const TensorNames& names,
                          std::span<const ParameterSpec> parameters);

}  // namespace mezo
