#include "core/zo/kernel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mezo {

namespace {

// Functions so marked are compiled once for each instruction set and chosen at load time. fma and
// the integer operations are exact on each, so all give the same bits. A test defines the macro as
// nothing, to build the file for one instruction set.
#if defined(MEZO_EACH_TARGET)
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define MEZO_EACH_TARGET \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MEZO_EACH_TARGET
#endif

constexpr std::int64_t chunk =
    1024;  // elements a pass of the inner loops: z and the weights stay in the first-level cache
constexpr int lanes = 64;  // Philox blocks computed side by side

// The bits of 8 * lanes normals, those of blocks first_block .. first_block + lanes. Each loop is
// one the compiler turns into vector instructions; unrolled whole they would stay scalar.
inline __attribute__((always_inline)) void fill_lanes(const Direction& d, std::uint64_t first_block,
                                                      const std::uint32_t* table,
                                                      std::uint32_t* z) {
  alignas(64) std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
  const std::uint32_t low = static_cast<std::uint32_t>(first_block);
  const std::uint32_t high = static_cast<std::uint32_t>(first_block >> 32);
#pragma GCC unroll 1
  for (std::uint32_t i = 0; i < lanes; ++i) {
    c0[i] = low + i;
    c1[i] = d.step;
    c2[i] = d.probe;
    c3[i] = (static_cast<std::uint32_t>(Purpose::direction) << 24) |
            ((high + (low + i < low)) & 0xFFFFFFu);
  }
  PhiloxKey key = d.key;
#pragma GCC unroll 1
  for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 1
    for (int i = 0; i < lanes; ++i) {
      const std::uint64_t p0 = std::uint64_t{philox_m0} * c0[i];
      const std::uint64_t p1 = std::uint64_t{philox_m1} * c2[i];
      c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ key.low;
      c1[i] = static_cast<std::uint32_t>(p1);
      c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ key.high;
      c3[i] = static_cast<std::uint32_t>(p0);
    }
    key.low += philox_w0;
    key.high += philox_w1;
  }
  alignas(64) std::uint32_t words[4 * lanes];
#pragma GCC unroll 1
  for (int i = 0; i < lanes; ++i) {
    words[4 * i] = c0[i];
    words[4 * i + 1] = c1[i];
    words[4 * i + 2] = c2[i];
    words[4 * i + 3] = c3[i];
  }
  alignas(64) std::int32_t bits[8 * lanes];
#pragma GCC unroll 1
  for (int i = 0; i < 4 * lanes; ++i) {
    bits[2 * i] = static_cast<std::int32_t>(words[i] & 0xFFFFu);
    bits[2 * i + 1] = static_cast<std::int32_t>(words[i] >> 16);
  }
#pragma GCC unroll 1
  for (int i = 0; i < 8 * lanes; ++i)
    z[i] = table[bits[i] & 2047] | ((static_cast<std::uint32_t>(bits[i]) & 0x8000u) << 16);
}

// z of a chunk that starts at any element: whole groups of lanes are drawn from the block below,
// then shifted into place.
inline __attribute__((always_inline)) const std::uint32_t* fill_chunk(const Direction& d,
                                                                      std::uint64_t first,
                                                                      std::int64_t n,
                                                                      const std::uint32_t* table,
                                                                      std::uint32_t* buffer) {
  const std::int64_t skip = static_cast<std::int64_t>(first % 8);
  for (std::int64_t i = 0; i < skip + n; i += 8 * lanes)
    fill_lanes(d, first / 8 + static_cast<std::uint64_t>(i / 8), table, buffer + i);
  return buffer + skip;
}

bool writes(const Update& u) {
  return u.decay != 0 ||
         std::any_of(u.coefficients.begin(), u.coefficients.end(), [](float c) { return c != 0; });
}

inline __attribute__((always_inline)) void advance_chunk(float* theta, std::int64_t n,
                                                         std::uint64_t first, PhiloxKey key,
                                                         const Update& update,
                                                         const std::uint32_t* table,
                                                         std::uint32_t* buffer) {
  float u[chunk];
  std::fill_n(u, n, 0.0f);
  for (std::size_t p = 0; p < update.coefficients.size(); ++p) {
    const float c = update.coefficients[p];
    const std::uint32_t* z =
        fill_chunk({key, update.step, static_cast<std::uint32_t>(p)}, first, n, table, buffer);
    for (std::int64_t i = 0; i < n; ++i) u[i] = __builtin_fmaf(c, std::bit_cast<float>(z[i]), u[i]);
  }
  const float decay = -update.decay;
  for (std::int64_t i = 0; i < n; ++i) theta[i] = __builtin_fmaf(decay, theta[i], theta[i]) - u[i];
}

// Arithmetic as IEEE 754 has it, whatever the calling thread is set to: a library built with
// -ffast-math turns flush-to-zero on for the thread that loads it, and subnormal weights would lose
// their bits.
class DefaultArithmetic {
#if defined(__x86_64__)
 public:
  DefaultArithmetic() { _mm_setcsr(0x1F80); }  // round to nearest, subnormals kept, no traps
  ~DefaultArithmetic() { _mm_setcsr(callers_); }
  DefaultArithmetic(const DefaultArithmetic&) = delete;

 private:
  const unsigned callers_ = _mm_getcsr();
#endif
};

// Never inlined: no arithmetic may move out of the scope of DefaultArithmetic.
MEZO_EACH_TARGET __attribute__((noinline)) void run(float* __restrict theta, std::int64_t n,
                                                    std::uint64_t first, PhiloxKey key,
                                                    std::span<const Update> missed,
                                                    const Probe* probe, float* __restrict plus,
                                                    float* __restrict minus) {
  alignas(64) std::uint32_t buffer[chunk + 16 * lanes];
  const std::uint32_t* table = half_normal_bits();
  for (std::int64_t begin = 0; begin < n; begin += chunk) {
    const std::int64_t m = std::min(chunk, n - begin);
    const std::uint64_t at = first + static_cast<std::uint64_t>(begin);
    float* t = theta + begin;
    for (const Update& update : missed)
      if (writes(update)) advance_chunk(t, m, at, key, update, table, buffer);
    if (!probe) continue;
    const std::uint32_t* z = fill_chunk({key, probe->step, probe->probe}, at, m, table, buffer);
    const float eps = probe->epsilon;
    for (std::int64_t i = 0; i < m; ++i) {
      plus[begin + i] = __builtin_fmaf(eps, std::bit_cast<float>(z[i]), t[i]);
      minus[begin + i] = __builtin_fmaf(-eps, std::bit_cast<float>(z[i]), t[i]);
    }
  }
}

}  // namespace

void advance(float* theta, std::int64_t n, std::uint64_t first, PhiloxKey key,
             std::span<const Update> missed) {
  [[maybe_unused]] const DefaultArithmetic arithmetic;
  run(theta, n, first, key, missed, nullptr, nullptr, nullptr);
}

void advance_and_perturb(float* theta, std::int64_t n, std::uint64_t first, PhiloxKey key,
                         std::span<const Update> missed, const Probe& probe, float* plus,
                         float* minus) {
  [[maybe_unused]] const DefaultArithmetic arithmetic;
  run(theta, n, first, key, missed, &probe, plus, minus);
}

}  // namespace mezo
