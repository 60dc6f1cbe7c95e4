#include "core/model/storage.h"

namespace mezo {

namespace {
constexpr Storage all[] = {Storage::float32, Storage::float16, Storage::bfloat16,
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
    default:
      return "bfloat16+8";
  }
}

std::optional<Storage> storage_named(std::string_view name) {
  for (const Storage s : all)
    if (name == name_of(s)) return s;
  return std::nullopt;
}

at::ScalarType word_type(Storage storage) {
  switch (storage) {
    case Storage::float32:
      return at::kFloat;
    case Storage::float16:
      return at::kHalf;
    default:
      return at::kBFloat16;
  }
}

}  // namespace mezo
