#include "core/forward/storage.h"

#include <stdexcept>
#include <string>

namespace mezo {

namespace {
constexpr Storage settings[] = {Storage::float32, Storage::float16, Storage::bfloat16,
                                Storage::bfloat16_8};
}

const char* name_of(Storage storage) {
  switch (storage) {
    case Storage::float32:
      return "float32";
    case Storage::float16:
      return "float16";
    case Storage::bfloat16:
      return "bfloat16";
    case Storage::bfloat16_8:
      return "bfloat16+8";
    default:
      return "quantised";
  }
}

std::optional<Storage> storage_named(std::string_view name) {
  for (const Storage s : settings)
    if (name == name_of(s)) return s;
  return std::nullopt;
}

const char* name_of(const StorageType& type) {
  return type.storage == Storage::quantised ? name_of(type.blocks) : name_of(type.storage);
}

StorageType storage_of(DType dtype) {
  switch (dtype) {
    case DType::F32:
    case DType::F64:
      return {Storage::float32};
    case DType::F16:
      return {Storage::float16};
    case DType::BF16:
      return {Storage::bfloat16};
    default:
      if (block_size(dtype) > 1) return {Storage::quantised, dtype};
      throw std::logic_error(std::string("[storage_of] a type that holds no weights: ") +
                             name_of(dtype));
  }
}

const char* name_of_dtype(at::ScalarType dtype) {
  return dtype == at::kHalf ? "float16" : dtype == at::kBFloat16 ? "bfloat16" : "float32";
}

at::ScalarType word_type(Storage storage) {
  switch (storage) {
    case Storage::float32:
      return at::kFloat;
    case Storage::float16:
      return at::kHalf;
    case Storage::quantised:
      return at::kByte;
    default:
      return at::kBFloat16;
  }
}

}  // namespace mezo
