#pragma once
// The directions z along which MeZO perturbs: z[element] is a pure function of (run seed, tensor's
// name, step, probe, index of the element in the whole tensor). Any part of a tensor can be drawn
// alone, in any order, on any number of threads, on a CPU or a GPU, and gives the same bits:
// integers and a table, no floating-point arithmetic. Costs about half a nanosecond an element on
// one core.
//
// Layout, fixed for ever by golden vectors (tests/zo):
//   gaussian    Philox block element/8; its words in order, low half before high half, give 16 bits
//               to each of 8 elements. Bits 0-10 pick a magnitude from 2,048 equally likely ones
//               (normal_table.inc), bit 15 is the sign; bits 11-14 are unused. Mean 0 and variance
//               1 to fp32; the largest magnitude is about 3.7.
//   rademacher  Philox block element/128, purpose `signs`; bit element%32 of word element%128/32:
//               0 is +1, 1 is -1.

#include <cstdint>
#include <string_view>

#include "core/api.h"
#include "core/zo/philox.h"

namespace mezo {

enum class Distribution { gaussian, rademacher };

struct Direction {
  PhiloxKey key;  // philox_key(run seed, canonical name)
  std::uint32_t step = 0;
  std::uint32_t probe = 0;
};

// z[i] = the direction at element first + i, for i in [0, n). Plain scalar code: what the kernels
// are tested against.
MEZO_API void fill_reference(Distribution, const Direction&, std::uint64_t first, std::int64_t n,
                             float* z);

// The 2,048 magnitudes, increasing, as the bits of fp32.
MEZO_API const std::uint32_t* half_normal_bits();

// What both kinds of kernel make of random bits: fp32 as bits, a pure function of integers.
constexpr std::uint32_t gaussian_bits(std::uint32_t draw16, const std::uint32_t* magnitudes) {
  return magnitudes[draw16 & 2047u] | ((draw16 & 0x8000u) << 16);
}
constexpr std::uint32_t rademacher_bits(std::uint32_t bit) { return 0x3F800000u | (bit << 31); }

// The bits that stochastic rounding (rounding.h) uses after a step, 16 an element as below, from
// the block of the step's first probe (purpose `direction`, whatever the distribution). Word k is
// made of two words that element 2k and 2k+1 take no part in: so an element's rounding is
// independent of its own z, of any other single z, and of any other element's rounding; and a
// kernel that has drawn z has nothing more to draw.
constexpr PhiloxBlock rounding_draws(const PhiloxBlock& b) {
  return {b[1] ^ b[2], b[2] ^ b[3], b[3] ^ b[0], b[0] ^ b[1]};
}

// The 16 random bits of one of the 8 elements of a block.
constexpr std::uint32_t draw16_of(const PhiloxBlock& block, std::uint32_t element_of_block) {
  return (block[element_of_block / 2] >> (element_of_block % 2 * 16)) & 0xFFFFu;
}

}  // namespace mezo
