#pragma once
// Quantised weights of tests: blocks of random bytes whose scales are finite.

#include <cstdint>
#include <random>
#include <string>

#include "core/io/dtype.h"

namespace mezo {

constexpr DType quantised_types[] = {DType::Q4_0, DType::Q4_1, DType::Q8_0};

// `count` weights. Scales have any sign and exponents up to `most_exponent` of fp16's 5 bits (0:
// subnormal, 30: the largest, 10: about 0.02).
inline std::string random_blocks(DType type, std::int64_t count, std::uint32_t seed,
                                 unsigned most_exponent = 30) {
  std::mt19937 random(seed);
  std::string bytes(static_cast<std::size_t>(bytes_of(type, count)), '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  const auto block = static_cast<std::size_t>(bytes_of(type, block_size(type)));
  for (std::size_t i = 0; i < bytes.size(); i += block)
    for (std::size_t scale = 0; scale < (type == DType::Q4_1 ? 2 : 1); ++scale) {
      const unsigned upper = (random() % 2 << 7) | (random() % (most_exponent + 1) << 2) |
                             (random() & 3);  // sign, exponent, two bits more
      bytes[i + 2 * scale + 1] = static_cast<char>(upper);
    }
  return bytes;
}

}  // namespace mezo
