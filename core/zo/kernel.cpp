#include "core/zo/kernel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/each_target.h"
#include "core/io/float16.h"
#include "core/zo/rounding.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mezo {

namespace {

constexpr std::int64_t chunk =
    1024;  // elements a pass of the inner loops: z and the weights stay in the first-level cache
constexpr int lanes = 64;  // Philox blocks computed side by side

struct Draws {  // room for a chunk that starts anywhere in a block
  alignas(64) std::uint32_t values[chunk + 16 * lanes];
};

// The 16 random bits of each of 8 * lanes elements, those of blocks first_block .. first_block +
// lanes. Each loop is one the compiler turns into vector instructions; unrolled whole they would
// stay scalar.
MEZO_INLINE void draw_lanes(const Direction& d, std::uint64_t first_block, bool for_rounding,
                            std::uint32_t* draws) {
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
  if (for_rounding)
#pragma GCC unroll 1
    for (int i = 0; i < lanes; ++i) {  // rounding_draws()
      const std::uint32_t b0 = c0[i];
      c0[i] = c1[i] ^ c2[i];
      c1[i] = c2[i] ^ c3[i];
      c2[i] = c3[i] ^ b0;
      c3[i] = c0[i] ^ c1[i] ^ c2[i];
    }
  alignas(64) std::uint32_t words[4 * lanes];
#pragma GCC unroll 1
  for (int i = 0; i < lanes; ++i) {
    words[4 * i] = c0[i];
    words[4 * i + 1] = c1[i];
    words[4 * i + 2] = c2[i];
    words[4 * i + 3] = c3[i];
  }
#pragma GCC unroll 1
  for (int i = 0; i < 4 * lanes; ++i) {
    draws[2 * i] = words[i] & 0xFFFFu;
    draws[2 * i + 1] = words[i] >> 16;
  }
}

// The random bits of a chunk that starts at any element: whole groups of lanes are drawn from the
// block below; what is returned starts at the element.
MEZO_INLINE std::uint32_t* draw_chunk(const Direction& d, bool for_rounding, std::uint64_t first,
                                      std::int64_t n, Draws& draws) {
  const std::int64_t skip = static_cast<std::int64_t>(first % 8);
  for (std::int64_t i = 0; i < skip + n; i += 8 * lanes)
    draw_lanes(d, first / 8 + static_cast<std::uint64_t>(i / 8), for_rounding, draws.values + i);
  return draws.values + skip;
}

MEZO_INLINE const std::uint32_t* gaussian_chunk(const Direction& d, std::uint64_t first,
                                                std::int64_t n, const std::uint32_t* table,
                                                Draws& draws) {
  std::uint32_t* z = draw_chunk(d, false, first, n, draws);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto draw = static_cast<std::int32_t>(z[i]);
    z[i] = table[draw & 2047] | ((static_cast<std::uint32_t>(draw) & 0x8000u) << 16);
  }
  return z;
}

MEZO_INLINE const std::uint32_t* rademacher_chunk(const Direction& d, std::uint64_t first,
                                                  std::int64_t n, Draws& draws) {
  const std::int64_t skip = static_cast<std::int64_t>(first % 128);
  for (std::int64_t i = 0; i < skip + n; i += 128) {
    const PhiloxBlock block =
        philox(philox_counter(first / 128 + static_cast<std::uint64_t>(i / 128), d.step, d.probe,
                              Purpose::signs),
               d.key);
    for (int w = 0; w < 4; ++w)
#pragma GCC unroll 1
      for (std::uint32_t k = 0; k < 32; ++k)
        draws.values[i + 32 * w + k] =
            rademacher_bits((block[static_cast<std::size_t>(w)] >> k) & 1u);
  }
  return draws.values + skip;
}

MEZO_INLINE const std::uint32_t* direction_chunk(Distribution distribution, const Direction& d,
                                                 std::uint64_t first, std::int64_t n,
                                                 const std::uint32_t* table, Draws& draws) {
  return distribution == Distribution::gaussian ? gaussian_chunk(d, first, n, table, draws)
                                                : rademacher_chunk(d, first, n, draws);
}

MEZO_INLINE void load_chunk(const StoredView& w, std::int64_t at, std::int64_t n, float* theta) {
  const auto* words = static_cast<const std::uint16_t*>(w.words) + at;
  if (w.storage == Storage::float16) {
    for (std::int64_t i = 0; i < n; ++i)
      theta[i] = std::bit_cast<float>(fp16_to_fp32_bits(words[i]));
  } else if (w.storage == Storage::bfloat16) {
    for (std::int64_t i = 0; i < n; ++i)
      theta[i] = std::bit_cast<float>(std::uint32_t{words[i]} << 16);
  } else {
    const std::uint8_t* residual = w.residual + at;
    for (std::int64_t i = 0; i < n; ++i)
      theta[i] =
          std::bit_cast<float>((std::uint32_t{words[i]} << 16) | (std::uint32_t{residual[i]} << 8));
  }
}

MEZO_INLINE void store_chunk(const StoredView& w, std::int64_t at, std::int64_t n,
                             const float* theta) {
  auto* words = static_cast<std::uint16_t*>(w.words) + at;
  if (w.storage == Storage::float16) {  // the value is one that fp16 holds
    for (std::int64_t i = 0; i < n; ++i)
      words[i] = fp32_bits_to_fp16(std::bit_cast<std::uint32_t>(theta[i]));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i)
    words[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(theta[i]) >> 16);
  if (w.storage != Storage::bfloat16_8) return;
  std::uint8_t* residual = w.residual + at;
  for (std::int64_t i = 0; i < n; ++i)
    residual[i] = static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(theta[i]) >> 8);
}

// Rounds a chunk to what the storage holds, in place.
MEZO_INLINE void round_chunk(Storage storage, const Direction& d, std::uint64_t first,
                             std::int64_t n, float* theta, Draws& draws) {
  const std::uint32_t* draw = draw_chunk(d, true, first, n, draws);
  const auto each = [&](auto round) {
    for (std::int64_t i = 0; i < n; ++i)
      theta[i] = std::bit_cast<float>(round(std::bit_cast<std::uint32_t>(theta[i]), draw[i]));
  };
  if (storage == Storage::bfloat16)
    each([](std::uint32_t b, std::uint32_t r) { return stochastic_bf16(b, r); });
  else if (storage == Storage::bfloat16_8)
    each([](std::uint32_t b, std::uint32_t r) { return stochastic_bf16_8(b, r); });
  else
    each([](std::uint32_t b, std::uint32_t r) { return fp16_to_fp32_bits(stochastic_fp16(b, r)); });
}

MEZO_INLINE void advance_chunk(const WeightPass& pass, float* theta, std::int64_t n,
                               std::uint64_t first, const Update& update,
                               const std::uint32_t* table, Draws& draws) {
  float u[chunk];
  std::fill_n(u, n, 0.0f);
  for (const Term& term : update.terms) {
    const float c = term.coefficient;
    const std::uint32_t* z = direction_chunk(pass.distribution, {pass.key, term.step, term.probe},
                                             first, n, table, draws);
    for (std::int64_t i = 0; i < n; ++i) u[i] = __builtin_fmaf(c, std::bit_cast<float>(z[i]), u[i]);
  }
  // Without decay the fma is exact and gives theta back.
  if (const float decay = -update.decay; decay != 0)
    for (std::int64_t i = 0; i < n; ++i) theta[i] = __builtin_fmaf(decay, theta[i], theta[i]);
  for (std::int64_t i = 0; i < n; ++i) theta[i] -= u[i];
  if (pass.weights.storage != Storage::float32)
    round_chunk(pass.weights.storage, {pass.key, update.step, 0}, first, n, theta, draws);
}

// Rounded stochastically by the draws of the probe's step, so that on average a perturbation below
// the type's spacing is not lost.
MEZO_INLINE void write_dithered(const WeightPass& pass, const float* theta, const std::uint32_t* z,
                                float epsilon, std::int64_t n, std::uint64_t first, void* out,
                                std::int64_t at, Draws& draws) {
  const std::uint32_t* draw = draw_chunk({pass.key, pass.step, 0}, true, first, n, draws);
  auto* o = static_cast<std::uint16_t*>(out) + at;
  for (std::int64_t i = 0; i < n; ++i) {
    const float value =
        z ? __builtin_fmaf(epsilon, std::bit_cast<float>(z[i]), theta[i]) : theta[i];
    const auto bits = std::bit_cast<std::uint32_t>(value);
    o[i] = pass.type == at::kBFloat16
               ? static_cast<std::uint16_t>(stochastic_bf16(bits, draw[i]) >> 16)
               : stochastic_fp16(bits, draw[i]);
  }
}

MEZO_INLINE void write_chunk(at::ScalarType type, const float* theta, const std::uint32_t* z,
                             float epsilon, std::int64_t n, void* out, std::int64_t at) {
  const auto value = [&](std::int64_t i) {
    return z ? __builtin_fmaf(epsilon, std::bit_cast<float>(z[i]), theta[i]) : theta[i];
  };
  if (type == at::kFloat) {
    float* o = static_cast<float*>(out) + at;
    if (z)
      for (std::int64_t i = 0; i < n; ++i)
        o[i] = __builtin_fmaf(epsilon, std::bit_cast<float>(z[i]), theta[i]);
    else
      std::copy_n(theta, n, o);
  } else if (type == at::kBFloat16) {
    auto* o = static_cast<std::uint16_t*>(out) + at;
    for (std::int64_t i = 0; i < n; ++i)
      o[i] = fp32_bits_to_bf16(std::bit_cast<std::uint32_t>(value(i)));
  } else {
    auto* o = static_cast<std::uint16_t*>(out) + at;
    for (std::int64_t i = 0; i < n; ++i)
      o[i] = fp32_bits_to_fp16(std::bit_cast<std::uint32_t>(value(i)));
  }
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
MEZO_EACH_TARGET __attribute__((noinline)) void run_chunks(const WeightPass& pass,
                                                           const StoredView& weights,
                                                           std::uint64_t first, std::int64_t n,
                                                           std::span<const Update> missed,
                                                           std::span<void* const> outs) {
  Draws draws, dither;
  alignas(64) float widened[chunk];
  const std::uint32_t* table = half_normal_bits();
  const bool narrow = weights.storage != Storage::float32;
  for (std::int64_t begin = 0; begin < n; begin += chunk) {
    const std::int64_t m = std::min(chunk, n - begin);
    const std::uint64_t at = first + static_cast<std::uint64_t>(begin);
    float* theta = widened;
    if (narrow)
      load_chunk(weights, begin, m, theta);
    else
      theta = static_cast<float*>(weights.words) + begin;
    bool wrote = false;
    for (const Update& update : missed)
      if (writes(update)) {
        advance_chunk(pass, theta, m, at, update, table, draws);
        wrote = true;
      }
    if (narrow && wrote) store_chunk(weights, begin, m, theta);
    const std::uint32_t* z = nullptr;
    for (std::size_t s = 0; s < outs.size(); ++s) {
      const Stream& stream = pass.streams[s];
      if (stream.probe >= 0 && (s == 0 || pass.streams[s - 1].probe != stream.probe))
        z = direction_chunk(pass.distribution,
                            {pass.key, pass.step, static_cast<std::uint32_t>(stream.probe)}, at, m,
                            table, draws);
      const std::uint32_t* own = stream.probe >= 0 ? z : nullptr;
      if (pass.dithered && pass.type != at::kFloat)
        write_dithered(pass, theta, own, stream.epsilon, m, at, outs[s], begin, dither);
      else
        write_chunk(pass.type, theta, own, stream.epsilon, m, outs[s], begin);
    }
  }
}

}  // namespace

bool writes(const Update& u) {
  return u.decay != 0 || std::any_of(u.terms.begin(), u.terms.end(),
                                     [](const Term& t) { return t.coefficient != 0; });
}

StoredView advanced(const StoredView& view, std::int64_t elements) {
  const std::int64_t bytes = elements * (view.storage == Storage::float32 ? 4 : 2);
  return {view.storage, static_cast<char*>(view.words) + bytes,
          view.residual ? view.residual + elements : nullptr};
}

void run_range(const WeightPass& pass, const StoredView& weights, std::uint64_t first,
               std::int64_t n, std::span<const Update> missed, std::span<void* const> outs) {
  [[maybe_unused]] const DefaultArithmetic arithmetic;
  run_chunks(pass, weights, first, n, missed, outs);
}

}  // namespace mezo
