#pragma once
// Stochastic rounding of fp32 to the types that weights are kept in, as integer algorithms that CPU
// and GPU share: a value between two neighbours becomes either, with the probability of its
// distance, so that steps far below a type's spacing still move weights by the right amount on
// average. `draw16` are 16 uniform random bits. Used by the update kernels alone; whatever is not
// an update rounds to nearest (core/io/float16.h).
//
// Pinned: a value that the type holds stays as it is. Magnitudes are rounded, so the sign does not
// matter. A finite value never becomes infinite: past the largest finite value it is that value.
// Infinity stays, a NaN becomes quiet. What 16 random bits cannot resolve (fractions below 2^-16 of
// the spacing, in fp16 only) is cut off.

#include <cstdint>

#include "core/io/float16.h"

namespace mezo {

constexpr std::uint32_t fp32_infinity = 0x7F800000u;

// fp32 -> fp32 whose lowest `Cut` bits are zero.
template <int Cut>
constexpr std::uint32_t stochastic_cut(std::uint32_t bits, std::uint32_t draw) {
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu, keep = ~((1u << Cut) - 1u);
  std::uint32_t cut = (magnitude + draw) & keep;
  cut = cut >= fp32_infinity ? (fp32_infinity - 1u) & keep : cut;
  const std::uint32_t special =
      magnitude > fp32_infinity ? (magnitude | 0x400000u) & keep : magnitude;
  return (bits & 0x80000000u) | (magnitude >= fp32_infinity ? special : cut);
}

// The upper 16 bits are bf16.
constexpr std::uint32_t stochastic_bf16(std::uint32_t bits, std::uint32_t draw16) {
  return stochastic_cut<16>(bits, draw16);
}

// The upper 16 bits are the words, the next 8 the residual of bfloat16+8.
constexpr std::uint32_t stochastic_bf16_8(std::uint32_t bits, std::uint32_t draw16) {
  return stochastic_cut<8>(bits, draw16 >> 8);
}

constexpr std::uint16_t stochastic_fp16(std::uint32_t bits, std::uint32_t draw16) {
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu, exponent = magnitude >> 23;
  // In units of fp16's spacing at this place, with 16 bits of fraction. Below 2^-14 (exponent 113)
  // the spacing is 2^-24 throughout.
  const std::uint32_t mantissa = (magnitude & 0x7FFFFFu) | (exponent ? 0x800000u : 0u);
  const std::uint32_t down = exponent < 110 ? (exponent < 79 ? 31u : 110u - exponent) : 0u;
  const std::uint32_t up = exponent > 110 && exponent < 113 ? exponent - 110u : 0u;
  const std::uint32_t small = (mantissa >> down) << up;
  const std::uint32_t normal = (magnitude - (112u << 23)) << 3;
  const std::uint32_t fixed = magnitude < 0x38800000u ? small : normal;
  std::uint32_t half = (fixed + draw16) >> 16;
  half = magnitude >= 0x47800000u || half > 0x7BFFu ? 0x7BFFu : half;  // 2^16 and above
  const std::uint32_t special = fp32_bits_to_fp16(magnitude);
  return static_cast<std::uint16_t>(((bits >> 16) & 0x8000u) |
                                    (magnitude >= fp32_infinity ? special : half));
}

}  // namespace mezo
