#pragma once
// Conversions between fp32 and the two 16-bit floats, as integer algorithms: no instruction set,
// compiler option or rounding mode changes a bit, so that CPU, GPU and another machine agree. Used
// by dequantisation and export. A few integer operations each.
//
// Pinned: to fp32 is exact, subnormals included. To 16 bits rounds to nearest, ties to even, into
// subnormals and from there to signed zero; what rounds past the largest finite value becomes
// infinity. A NaN keeps its sign and the leading bits of its payload. It becomes quiet in every
// conversion that involves fp16, and from fp32 to bf16; bf16 to fp32 moves bits only.

#include <bit>
#include <cstdint>

namespace mezo {

// Computes all cases and picks one by masks made of carries, not comparisons: compilers turn the
// latter into branches, which cost two to three times as much in the loop that widens a model.
constexpr uint32_t fp16_to_fp32_bits(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffu;
  const uint32_t mantissa = half & 0x3ffu;
  const uint32_t has_mantissa = (0u - mantissa) >> 31;
  const uint32_t normal = (magnitude << 13) + (uint32_t{127 - 15} << 23);
  const uint32_t special = (magnitude << 13) | 0x7f800000u | (has_mantissa << 22);
  // A subnormal is mantissa * 2^-24: the integer converts exactly, the exponent is lowered by 24.
  const auto integer = std::bit_cast<uint32_t>(static_cast<float>(static_cast<int32_t>(mantissa)));
  const uint32_t small = integer - ((has_mantissa * 24u) << 23);
  const uint32_t is_special = 0u - ((magnitude + 0x400u) >> 15);  // exponent bits all ones
  const uint32_t is_small = 0u - ((magnitude - 0x400u) >> 31);    // exponent bits all zero
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  return sign | (special & is_special) | (small & is_small) | (normal & ~(is_special | is_small));
}

constexpr uint32_t bf16_to_fp32_bits(uint16_t bits) { return uint32_t{bits} << 16; }

constexpr uint16_t fp32_bits_to_fp16(uint32_t bits) {
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  // 65520 is half-way between the largest finite value and 2^16, and ties go to even: infinity.
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude >=
      0x38800000u) {  // 2^-14, the smallest normal: a carry runs into the exponent as it should
    const uint32_t rebiased = magnitude - (uint32_t{127 - 15} << 23);
    return static_cast<uint16_t>(sign | ((rebiased + 0xfffu + ((rebiased >> 13) & 1u)) >> 13));
  }
  if (magnitude <= 0x33000000u) return static_cast<uint16_t>(sign);  // up to 2^-25, a tie: zero
  const uint32_t exponent = magnitude >> 23;
  const uint32_t mantissa = (magnitude & 0x007fffffu) | 0x00800000u;
  const uint32_t shift = 126 - exponent;  // to units of 2^-24; 14 to 24 here
  const uint32_t half = mantissa >> shift;
  const uint32_t rest = mantissa & ((1u << shift) - 1);
  const uint32_t tie = 1u << (shift - 1);
  return static_cast<uint16_t>(sign |
                               (half + (rest > tie || (rest == tie && (half & 1u)) ? 1 : 0)));
}

constexpr uint16_t fp32_bits_to_bf16(uint32_t bits) {
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float fp16_to_fp32(uint16_t half) { return std::bit_cast<float>(fp16_to_fp32_bits(half)); }
inline float bf16_to_fp32(uint16_t bits) { return std::bit_cast<float>(bf16_to_fp32_bits(bits)); }
inline uint16_t fp32_to_fp16(float value) {
  return fp32_bits_to_fp16(std::bit_cast<uint32_t>(value));
}
inline uint16_t fp32_to_bf16(float value) {
  return fp32_bits_to_bf16(std::bit_cast<uint32_t>(value));
}

}  // namespace mezo
