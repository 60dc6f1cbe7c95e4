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

// Every case computed and one picked, as above; signed, as vector instructions compare. What is
// left is one right shift, rounded: of the number with its exponent lowered or, below the smallest
// normal, 2^-14, of the mantissa into units of 2^-24. A carry runs into the exponent as it should,
// up to that of infinity.
constexpr uint16_t fp32_bits_to_fp16(uint32_t bits) {
  const auto magnitude = static_cast<int32_t>(bits & 0x7fffffffu);
  const bool is_small = magnitude < 0x38800000;
  const int32_t to_units = 126 - (magnitude >> 23);  // 14 to 24; by more nothing is left
  const int32_t shift = is_small ? (to_units < 31 ? to_units : 31) : 13;
  const int32_t value =
      is_small ? (magnitude & 0x007fffff) | 0x00800000 : magnitude - ((127 - 15) << 23);
  const int32_t finite = (value + (1 << (shift - 1)) - 1 + ((value >> shift) & 1)) >> shift;
  // 65520 is half-way between the largest finite value and 2^16, and ties go to even: infinity.
  const int32_t half = magnitude >= 0x477ff000 ? 0x7c00 : finite;
  const int32_t nan = 0x7e00 | ((magnitude >> 13) & 0x3ff);
  return static_cast<uint16_t>(((bits >> 16) & 0x8000u) |
                               static_cast<uint32_t>(magnitude > 0x7f800000 ? nan : half));
}

constexpr uint16_t fp32_bits_to_bf16(uint32_t bits) {
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

constexpr float fp16_to_fp32(uint16_t half) {
  return std::bit_cast<float>(fp16_to_fp32_bits(half));
}
constexpr float bf16_to_fp32(uint16_t bits) {
  return std::bit_cast<float>(bf16_to_fp32_bits(bits));
}
constexpr uint16_t fp32_to_fp16(float value) {
  return fp32_bits_to_fp16(std::bit_cast<uint32_t>(value));
}
constexpr uint16_t fp32_to_bf16(float value) {
  return fp32_bits_to_bf16(std::bit_cast<uint32_t>(value));
}

}  // namespace mezo
