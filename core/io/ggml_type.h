#pragma once
// ggml's tensor types by number: which this project reads, and what the others are called, so that
// a file in another quantisation is refused by its name. Used by the GGUF loader.

#include <cstdint>
#include <optional>
#include <string>

#include "core/io/dtype.h"

namespace mezo {

// "F32, F16, …, BF16": those that are read here.
std::string ggml_types();

// The type that is number `type` in a GGUF file; nothing for one that is not read here.
std::optional<DType> dtype_of_ggml(uint32_t type);

// "Q4_K", or "unknown type 99".
std::string ggml_type_name(uint32_t type);

}  // namespace mezo
