#include "core/zo/direction.h"

#include <bit>

namespace mezo {

namespace {
constexpr float magnitudes[2048] = {
#include "core/zo/normal_table.inc"
};
alignas(64) constexpr auto bits_of_magnitudes =
    std::bit_cast<std::array<std::uint32_t, 2048>>(magnitudes);
}  // namespace

const std::uint32_t* half_normal_bits() { return bits_of_magnitudes.data(); }

void fill_gaussian_reference(const Direction& d, std::uint64_t first, std::int64_t n, float* z) {
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t element = first + static_cast<std::uint64_t>(i);
    const PhiloxBlock words =
        philox(philox_counter(element / 8, d.step, d.probe, Purpose::direction), d.key);
    const std::uint32_t bits = words[element % 8 / 2] >> (element % 2 * 16);
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    z[i] = std::bit_cast<float>(bits_of_magnitudes[bits & 2047] | sign);
  }
}

}  // namespace mezo
