#pragma once
// The forms that libraries quantise folders to, one reader each, by their quant_method. Used by
// quantised_folder.cpp.

#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "core/model/model_config.h"

namespace mezo {

struct QuantisedForm {
  const char* method;  // of quantization_config
  // Throws ModelError for a key or a value that is not read, naming it.
  void (*check)(const ModelConfig& config);
  // The same tensors, but of those that belong together one is left, with assemble(). ModelError
  // where one is missing or is not what it should be.
  TensorFile (*read)(const TensorFile& tensors, const ModelConfig& config);
  // What else a user should know of a configuration that was checked.
  std::vector<std::string> (*notes)(const ModelConfig& config);
};

extern const QuantisedForm bitsandbytes_form, float8_form, compressed_tensors_form, gptq_form,
    awq_form;

}  // namespace mezo
