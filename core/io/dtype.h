#pragma once
// The element types that weight files hold, what they are called and how many bytes they take. Used
// by both loaders, by the writer and by whoever sizes a buffer; every function is a table look-up.
// Plain types are ordered as the safetensors package orders them (by growing alignment), because
// the writer lays tensors out in falling order of this enum.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

enum class DType : uint8_t {
  Bool,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
  // ggml's blocks of 32 and of 256 weights (core/io/blocks.h). They occur in GGUF files only.
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  IQ4_NL,
  IQ4_XS,
  // bitsandbytes' NormalFloat blocks of 64, rounded to the type behind the underscore. Of no file:
  // several tensors of a folder are put together to it (core/checkpoint/quantised_folder.h).
  NF4_F32,
  NF4_F16,
  NF4_BF16,
  // The same with bitsandbytes' 4-bit floats.
  FP4_F32,
  FP4_F16,
  FP4_BF16,
  // Blocks of 32 integers or 8-bit floats with one scale, which has the type behind the underscore,
  // as has what they stand for; INT8_BNB is bitsandbytes', in fp32. Of no file either.
  INT4_F32,
  INT4_F16,
  INT4_BF16,
  INT8_F32,
  INT8_F16,
  INT8_BF16,
  INT8_BNB,
  FP8_F32,
  FP8_F16,
  FP8_BF16,
};

// "F32", "BF16", "Q4_1", …: the name in the file format that the type comes from.
MEZO_API const char* name_of(DType dtype);

// The plain type that a safetensors header calls `name`; nothing for a name that is not known here.
MEZO_API std::optional<DType> dtype_named(std::string_view name);

// Elements in one indivisible block: 1 for plain types, 32, 64 or 256 for others.
MEZO_API int64_t block_size(DType dtype);

// True for the types that dequantize() turns into fp32.
MEZO_API bool is_weight(DType dtype);

// "F16, BF16, …, IQ4_XS", for messages: all of these.
MEZO_API std::string weight_types();

// Bytes of `count` elements; throws ModelError when count is negative, above 2^59 or not a whole
// number of blocks.
MEZO_API int64_t bytes_of(DType dtype, int64_t count);

// The product of a shape, 1 for a scalar; nothing when a dimension is negative or the product
// passes 2^59, so that bytes_of() of what is returned never overflows.
MEZO_API std::optional<int64_t> element_count(std::span<const int64_t> shape);

}  // namespace mezo
