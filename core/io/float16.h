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

constexpr uint32_t fp16_to_fp32_bits(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0x1f) {
    return sign | 0x7f800000u | (mantissa << 13) | (mantissa != 0 ? 0x00400000u : 0u);
  }
  if (exponent != 0) return sign | ((exponent + (127 - 15)) << 23) | (mantissa << 13);
  if (mantissa == 0) return sign;
  // A subnormal, mantissa * 2^-24: its leading bit becomes the implicit one.
  const int leading = 31 - std::countl_zero(mantissa);
  const auto biased = static_cast<uint32_t>(127 - 24 + leading);
  return sign | (biased << 23) | ((mantissa << (23 - leading)) & 0x007fffffu);
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
