#include "core/io/dtype.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/io/blocks.h"

namespace mezo {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 59;

struct Layout {
  DType dtype;
  const char* name;
  int64_t block_elements;
  int64_t block_bytes;
  bool weight;
};

template <DType Type>
constexpr Layout blocks(const char* name) {
  return {Type, name, Block<Type>::weights, Block<Type>::bytes, true};
}

constexpr Layout kLayouts[] = {
    {DType::Bool, "BOOL", 1, 1, false},
    {DType::U8, "U8", 1, 1, false},
    {DType::I8, "I8", 1, 1, false},
    {DType::F8_E5M2, "F8_E5M2", 1, 1, false},
    {DType::F8_E4M3, "F8_E4M3", 1, 1, false},
    {DType::F8_E8M0, "F8_E8M0", 1, 1, false},
    {DType::F8_E4M3FNUZ, "F8_E4M3FNUZ", 1, 1, false},
    {DType::F8_E5M2FNUZ, "F8_E5M2FNUZ", 1, 1, false},
    {DType::I16, "I16", 1, 2, false},
    {DType::U16, "U16", 1, 2, false},
    {DType::F16, "F16", 1, 2, true},
    {DType::BF16, "BF16", 1, 2, true},
    {DType::I32, "I32", 1, 4, false},
    {DType::U32, "U32", 1, 4, false},
    {DType::F32, "F32", 1, 4, true},
    {DType::C64, "C64", 1, 8, false},
    {DType::F64, "F64", 1, 8, true},
    {DType::I64, "I64", 1, 8, false},
    {DType::U64, "U64", 1, 8, false},
    blocks<DType::Q4_0>("Q4_0"),
    blocks<DType::Q4_1>("Q4_1"),
    blocks<DType::Q5_0>("Q5_0"),
    blocks<DType::Q5_1>("Q5_1"),
    blocks<DType::Q8_0>("Q8_0"),
    blocks<DType::Q2_K>("Q2_K"),
    blocks<DType::Q3_K>("Q3_K"),
    blocks<DType::Q4_K>("Q4_K"),
    blocks<DType::Q5_K>("Q5_K"),
    blocks<DType::Q6_K>("Q6_K"),
    blocks<DType::IQ4_NL>("IQ4_NL"),
    blocks<DType::IQ4_XS>("IQ4_XS"),
    blocks<DType::NF4_F32>("NF4_F32"),
    blocks<DType::NF4_F16>("NF4_F16"),
    blocks<DType::NF4_BF16>("NF4_BF16"),
    blocks<DType::FP4_F32>("FP4_F32"),
    blocks<DType::FP4_F16>("FP4_F16"),
    blocks<DType::FP4_BF16>("FP4_BF16"),
    blocks<DType::INT4_F32>("INT4_F32"),
    blocks<DType::INT4_F16>("INT4_F16"),
    blocks<DType::INT4_BF16>("INT4_BF16"),
    blocks<DType::INT8_F32>("INT8_F32"),
    blocks<DType::INT8_F16>("INT8_F16"),
    blocks<DType::INT8_BF16>("INT8_BF16"),
    blocks<DType::INT8_BNB>("INT8_BNB"),
    blocks<DType::FP8_F32>("FP8_F32"),
    blocks<DType::FP8_F16>("FP8_F16"),
    blocks<DType::FP8_BF16>("FP8_BF16"),
};

constexpr bool in_enum_order() {
  for (size_t i = 0; i < std::size(kLayouts); ++i) {
    if (kLayouts[i].dtype != static_cast<DType>(i)) return false;
  }
  return true;
}
static_assert(in_enum_order(), "layout_of indexes the table by the enum");

const Layout& layout_of(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  if (index >= std::size(kLayouts)) {
    throw ModelError(fmt::format("[dtype] expected a known type, got number {}", index));
  }
  return kLayouts[index];
}

}  // namespace

const char* name_of(DType dtype) { return layout_of(dtype).name; }

std::optional<DType> dtype_named(std::string_view name) {
  for (const Layout& layout : kLayouts) {
    if (layout.block_elements == 1 && name == layout.name) return layout.dtype;
  }
  return std::nullopt;
}

int64_t block_size(DType dtype) { return layout_of(dtype).block_elements; }

bool is_weight(DType dtype) { return layout_of(dtype).weight; }

std::string weight_types() {
  std::string all;
  for (const Layout& layout : kLayouts)
    if (layout.weight) all += (all.empty() ? "" : ", ") + std::string(layout.name);
  return all;
}

int64_t bytes_of(DType dtype, int64_t count) {
  const Layout& layout = layout_of(dtype);
  if (count < 0 || count > kMaxElements || count % layout.block_elements != 0) {
    throw ModelError(
        fmt::format("[bytes_of] expected a multiple of {} elements up to 2^59 for {}, got {}",
                    layout.block_elements, layout.name, count));
  }
  return count / layout.block_elements * layout.block_bytes;
}

std::optional<int64_t> element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count) || count > kMaxElements) {
      return std::nullopt;
    }
  }
  return count;
}

}  // namespace mezo
