#pragma once
// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter and
// a key give four 32-bit words, with no state. Directions and batch order are drawn from it, so
// each is a pure function of what it is for. Integer operations only.

#include <array>
#include <cstdint>
#include <string_view>

namespace mezo {

// What a draw is for: the top byte of the counter's last word, so that no two uses share a number.
enum class Purpose : std::uint32_t { direction = 0, order = 1, signs = 3, text = 4 };

struct PhiloxKey {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  bool operator==(const PhiloxKey&) const = default;
};

using PhiloxBlock = std::array<std::uint32_t, 4>;

constexpr std::uint32_t philox_m0 = 0xD2511F53u, philox_m1 = 0xCD9E8D57u;
constexpr std::uint32_t philox_w0 = 0x9E3779B9u, philox_w1 = 0xBB67AE85u;

inline constexpr PhiloxBlock philox(PhiloxBlock c, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{philox_m0} * c[0];
    const std::uint64_t p1 = std::uint64_t{philox_m1} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key.low, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key.high, static_cast<std::uint32_t>(p0)};
    key.low += philox_w0;
    key.high += philox_w1;
  }
  return c;
}

// The key of one named tensor (or other named draw) in a run: FNV-1a of the name, offset by the
// seed, then the finaliser of splitmix64. For a given seed two names share a key only if their
// 64-bit hashes collide.
inline constexpr PhiloxKey philox_key(std::uint64_t seed, std::string_view name) {
  std::uint64_t h = 0xCBF29CE484222325ull;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
  h += (seed + 1) * 0x9E3779B97F4A7C15ull;
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9ull;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBull;
  h ^= h >> 31;
  return {static_cast<std::uint32_t>(h), static_cast<std::uint32_t>(h >> 32)};
}

// The counter of block `block` of a purpose. `step` and `probe` are free words for purposes that
// have neither.
inline constexpr PhiloxBlock philox_counter(std::uint64_t block, std::uint32_t step,
                                            std::uint32_t probe, Purpose purpose) {
  return {static_cast<std::uint32_t>(block), step, probe,
          (static_cast<std::uint32_t>(purpose) << 24) |
              (static_cast<std::uint32_t>(block >> 32) & 0xFFFFFFu)};
}

}  // namespace mezo
