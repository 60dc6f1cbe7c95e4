#pragma once
// How a parameter's numbers are kept, which need not be the type that a forward computes in. A
// 16-bit weight cannot hold the small steps of zeroth-order training, so there is a type between:
// bfloat16+8 is fp32 without its 8 lowest bits, kept as the upper 16 (words) and the next 8
// (residual) in two tensors. Weights that do not train may stay quantised, in ggml's blocks as the
// file has them. One-dimensional tensors are float32 whatever the matrices are.

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/api.h"
#include "core/io/dtype.h"

namespace mezo {

enum class Storage : std::uint8_t { float32, float16, bfloat16, bfloat16_8, quantised };

// "float32", "float16", "bfloat16", "bfloat16+8": as in a run's YAML; "quantised" is none of these,
// and storage_named() does not know it.
MEZO_API const char* name_of(Storage storage);
MEZO_API std::optional<Storage> storage_named(std::string_view name);

// A storage, and of quantised weights in which blocks.
struct StorageType {
  Storage storage = Storage::float32;
  DType blocks = DType::Q4_0;

  bool operator==(const StorageType&) const = default;
};

// "float32", "Q4_1".
MEZO_API const char* name_of(const StorageType& type);

// In which a tensor of a file is kept as it is: F32, F16, BF16 and every quantised type, and F64 as
// float32; another type is std::logic_error.
MEZO_API StorageType storage_of(DType dtype);

// "float16", as in a run's YAML, of a type that forwards compute in.
MEZO_API const char* name_of_dtype(at::ScalarType dtype);

// Of the words; the residual, where there is one, is a byte more. Quantised: bytes.
MEZO_API at::ScalarType word_type(Storage storage);
// A weight's, of those that are not quantised.
constexpr int bytes_of(Storage storage) {
  return storage == Storage::float32 ? 4 : storage == Storage::bfloat16_8 ? 3 : 2;
}

}  // namespace mezo
