#pragma once
// Weights as bitsandbytes saves them in 4 bits: beside the nibbles a tensor of scales, tables and a
// tensor that holds a JSON text. Used by quantised_folder.cpp.

#include "core/io/tensor_file.h"

namespace mezo {

// The same tensors, but that of what belongs together one is left, with assemble(). ModelError
// where there are none, or something of one is missing or is not what it should be.
TensorFile with_normal_floats(const TensorFile& tensors, const std::string& folder);

}  // namespace mezo
