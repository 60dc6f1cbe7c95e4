// Stochastic rounding against golden vectors, and over all of its 65,536 draws.
#include <doctest/doctest.h>

#include <cmath>

#include "core/zo/direction.h"
#include "core/zo/rounding.h"
#include "golden_lines.h"

using namespace mezo;

namespace {

double value_of(std::uint32_t bits) { return double{std::bit_cast<float>(bits)}; }

// Values whose neighbours in each type are finite: normal, subnormal, both signs, powers of two.
std::vector<std::uint32_t> values() {
  std::vector<std::uint32_t> bits{0, 1, 0x80000001u, 0x3F800000u, 0x38800001u, 0x33800001u};
  for (std::uint32_t i = 0; i < 200; ++i)  // from 2^-30 to 2^14
    bits.push_back(((97u + i % 44) << 23) | (i * 0x9E3779B9u >> 9) | (i % 2 << 31));
  return bits;
}

struct Mean {
  double mean = 0, spacing = 0;  // over all draws; between the two results, 0 if there is one
};

template <class Round>
Mean over_all_draws(std::uint32_t bits, Round&& round) {
  double sum = 0, least = 1e300, most = -1e300;
  for (std::uint32_t draw = 0; draw < 65536; ++draw) {
    const double y = value_of(round(bits, draw));
    sum += y;  // exact: a sum of two values, a power of two times each
    least = std::min(least, y);
    most = std::max(most, y);
  }
  return {sum / 65536, most - least};
}

}  // namespace

TEST_CASE("rounding is what it always was") {
  const auto lines = golden_lines("roundings.tsv");
  REQUIRE(lines.size() > 600);
  for (const auto& f : lines) {
    const std::uint32_t bits = word(f[0], 16), draw = word(f[1], 16);
    CAPTURE(f[0]);
    CAPTURE(f[1]);
    CHECK(stochastic_bf16(bits, draw) == word(f[2], 16));
    CHECK(stochastic_bf16_8(bits, draw) == word(f[3], 16));
    CHECK(std::uint32_t{stochastic_fp16(bits, draw)} == word(f[4], 16));
  }
}

TEST_CASE("the draws of rounding are what they always were") {
  const auto lines = golden_lines("rounding_draws.tsv");
  REQUIRE(lines.size() == 28);
  for (const auto& f : lines) {
    const PhiloxKey key = philox_key(std::stoull(f[1]), bytes_of_hex(f[0]));
    for (std::size_t i = 0; i < 10; ++i) {
      const std::uint64_t element = std::stoull(f[3]) + i;
      const PhiloxBlock block =
          philox(philox_counter(element / 8, word(f[2]), 0, Purpose::direction), key);
      CHECK(draw16_of(rounding_draws(block), static_cast<std::uint32_t>(element % 8)) ==
            word(f[4 + i], 16));
    }
  }
}

TEST_CASE("the mean over all draws is the value, to what the draws resolve") {
  for (const std::uint32_t bits : values()) {
    CAPTURE(bits);
    const double value = value_of(bits);
    CHECK(over_all_draws(bits, stochastic_bf16).mean == value);
    CHECK(over_all_draws(bits, stochastic_bf16_8).mean == value);
    const Mean half = over_all_draws(bits, [](std::uint32_t b, std::uint32_t draw) {
      return fp16_to_fp32_bits(stochastic_fp16(b, draw));
    });
    // Below 2^-16 of the spacing a fraction is cut off: towards zero.
    const double spacing = std::max(std::ldexp(1.0, -24), half.spacing);
    CHECK(std::abs(half.mean) <= std::abs(value));
    CHECK(std::abs(half.mean - value) < spacing / 65536);
  }
}

TEST_CASE("a value that the type holds stays as it is, by any draw") {
  for (const std::uint32_t draw : {0u, 1u, 0x8000u, 0xFFFFu})
    for (std::uint32_t half = 0; half < 0x10000; ++half) {
      const std::uint32_t magnitude = half & 0x7FFFu, bf16 = half << 16;
      if (magnitude <= 0x7F80u) REQUIRE(stochastic_bf16(bf16, draw) == bf16);
      if (magnitude < 0x7F80u) REQUIRE(stochastic_bf16_8(bf16 | 0x5A00u, draw) == (bf16 | 0x5A00u));
      if (magnitude <= 0x7C00u)
        REQUIRE(stochastic_fp16(fp16_to_fp32_bits(static_cast<std::uint16_t>(half)), draw) == half);
    }
}
