#include "core/zo/direction.h"

#include <bit>

namespace mezo {

namespace {
constexpr float magnitudes[2048] = {
#include "core/zo/normal_table.inc"
};
alignas(64) constexpr auto bits_of_magnitudes =
    std::bit_cast<std::array<std::uint32_t, 2048>>(magnitudes);

std::uint32_t gaussian_at(const Direction& d, std::uint64_t element) {
  const PhiloxBlock block =
      philox(philox_counter(element / 8, d.step, d.probe, Purpose::direction), d.key);
  return gaussian_bits(draw16_of(block, static_cast<std::uint32_t>(element % 8)),
                       bits_of_magnitudes.data());
}

std::uint32_t rademacher_at(const Direction& d, std::uint64_t element) {
  const PhiloxBlock block =
      philox(philox_counter(element / 128, d.step, d.probe, Purpose::signs), d.key);
  return rademacher_bits((block[element % 128 / 32] >> (element % 32)) & 1u);
}
}  // namespace

const std::uint32_t* half_normal_bits() { return bits_of_magnitudes.data(); }

void fill_reference(Distribution distribution, const Direction& d, std::uint64_t first,
                    std::int64_t n, float* z) {
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t element = first + static_cast<std::uint64_t>(i);
    z[i] = std::bit_cast<float>(distribution == Distribution::gaussian ? gaussian_at(d, element)
                                                                       : rademacher_at(d, element));
  }
}

}  // namespace mezo
