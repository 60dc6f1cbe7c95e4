#pragma once
// Quantised weights of tests: blocks of random bytes whose scales are finite.

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/io/dtype.h"

namespace mezo {

// Those of GGUF files come first.
constexpr DType quantised_types[] = {
    DType::Q4_0,      DType::Q4_1,     DType::Q5_0,     DType::Q5_1,      DType::Q8_0,
    DType::Q2_K,      DType::Q3_K,     DType::Q4_K,     DType::Q5_K,      DType::Q6_K,
    DType::IQ4_NL,    DType::IQ4_XS,   DType::NF4_F32,  DType::NF4_F16,   DType::NF4_BF16,
    DType::FP4_F32,   DType::FP4_F16,  DType::FP4_BF16, DType::INT4_F32,  DType::INT4_F16,
    DType::INT4_BF16, DType::INT8_F32, DType::INT8_F16, DType::INT8_BF16, DType::INT8_BNB,
    DType::FP8_F32,   DType::FP8_F16,  DType::FP8_BF16};
constexpr std::span<const DType> ggml_types(quantised_types, 12);

// Where the fp16 scales of a block are.
inline std::vector<std::size_t> scales_in(DType type) {
  switch (type) {
    case DType::Q4_1:
    case DType::Q5_1:
    case DType::Q4_K:
    case DType::Q5_K:
      return {0, 2};
    case DType::Q2_K:
      return {80, 82};
    case DType::Q3_K:
      return {108};
    case DType::Q6_K:
      return {208};
    case DType::NF4_F32:
    case DType::NF4_F16:
    case DType::NF4_BF16:
    case DType::FP4_F32:
    case DType::FP4_F16:
    case DType::FP4_BF16:
    case DType::INT4_F32:
    case DType::INT8_F32:
    case DType::INT8_BNB:
    case DType::FP8_F32:
      return {2};  // of fp32 the upper half, which is small where fp16 is
    default:
      return {0};
  }
}

// `count` weights. Scales have any sign and exponents up to `most_exponent` of fp16's 5 bits (0:
// subnormal, 30: the largest, 10: about 0.02).
inline std::string random_blocks(DType type, std::int64_t count, std::uint32_t seed,
                                 unsigned most_exponent = 30) {
  std::mt19937 random(seed);
  std::string bytes(static_cast<std::size_t>(bytes_of(type, count)), '\0');
  const bool floats = type == DType::FP8_F32 || type == DType::FP8_F16 || type == DType::FP8_BF16;
  for (char& c : bytes) {
    c = static_cast<char>(random() & 0xFF);
    if (floats && (c & 0x7F) == 0x7F) c = 0;  // not NaN
  }
  const auto block = static_cast<std::size_t>(bytes_of(type, block_size(type)));
  for (std::size_t i = 0; i < bytes.size(); i += block)
    for (const std::size_t scale : scales_in(type)) {
      const unsigned upper = (random() % 2 << 7) | (random() % (most_exponent + 1) << 2) |
                             (random() & 3);  // sign, exponent, two bits more
      bytes[i + scale + 1] = static_cast<char>(upper);
    }
  return bytes;
}

}  // namespace mezo
