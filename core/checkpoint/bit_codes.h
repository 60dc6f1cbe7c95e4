#pragma once
// Small integers packed into words of 32 bits, the first in the lowest bits. For bits that divide
// 32. Used by the readers of compressed-tensors, GPTQ and AWQ.

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/io/tensor_file.h"

namespace mezo {

static_assert(std::endian::native == std::endian::little, "words of files are little-endian");

inline std::uint32_t word_of(const TensorView& tensor, std::int64_t i) {
  std::uint32_t word;
  std::memcpy(&word, tensor.data.data() + 4 * i, sizeof word);
  return word;
}

constexpr std::uint8_t code_in(std::uint32_t word, std::int64_t place, int bits) {
  return static_cast<std::uint8_t>(word >> place * bits & ((1u << bits) - 1));
}

}  // namespace mezo
