#pragma once
// How a parameter's numbers are kept, which need not be the type that a forward computes in. A
// 16-bit weight cannot hold the small steps of zeroth-order training, so there is a type between:
// bfloat16+8 is fp32 without its 8 lowest bits, kept as the upper 16 (words) and the next 8
// (residual) in two tensors. One-dimensional tensors are float32 whatever the matrices are.

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/api.h"

namespace mezo {

enum class Storage : std::uint8_t { float32, float16, bfloat16, bfloat16_8 };

// "float32", "float16", "bfloat16", "bfloat16+8": as in a run's YAML.
MEZO_API const char* name_of(Storage storage);
MEZO_API std::optional<Storage> storage_named(std::string_view name);

// Of the words; the residual, where there is one, is a byte more.
MEZO_API at::ScalarType word_type(Storage storage);
constexpr int bytes_of(Storage storage) {
  return storage == Storage::float32 ? 4 : storage == Storage::bfloat16_8 ? 3 : 2;
}

}  // namespace mezo
