#pragma once
// What one pass of the kernels does, an element at a time in plain scalar code: the oracle of the
// tests that hold cpu_weight_kernels() to its bits. It shares with the kernels the rounding of one
// number (core/zo/rounding.h, core/io/float16.h) and the draw of one element, which golden vectors
// pin.

#include <bit>
#include <cmath>

#include "core/io/float16.h"
#include "core/zo/kernel.h"
#include "core/zo/rounding.h"

namespace mezo {

inline float stored_value(const StoredView& w, std::int64_t i) {
  if (w.storage == Storage::float32) return static_cast<const float*>(w.words)[i];
  const std::uint16_t word = static_cast<const std::uint16_t*>(w.words)[i];
  if (w.storage == Storage::float16) return fp16_to_fp32(word);
  const std::uint32_t low = w.storage == Storage::bfloat16_8 ? w.residual[i] : 0u;
  return std::bit_cast<float>((std::uint32_t{word} << 16) | (low << 8));
}

// Keeps an updated value: the one place where it is rounded.
inline void store_value(const StoredView& w, std::int64_t i, float value, std::uint32_t draw16) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (w.storage == Storage::float32) {
    static_cast<float*>(w.words)[i] = value;
    return;
  }
  auto& word = static_cast<std::uint16_t*>(w.words)[i];
  if (w.storage == Storage::float16) {
    word = stochastic_fp16(bits, draw16);
  } else if (w.storage == Storage::bfloat16) {
    word = static_cast<std::uint16_t>(stochastic_bf16(bits, draw16) >> 16);
  } else {
    const std::uint32_t kept = stochastic_bf16_8(bits, draw16);
    word = static_cast<std::uint16_t>(kept >> 16);
    w.residual[i] = static_cast<std::uint8_t>(kept >> 8);
  }
}

inline std::uint32_t rounding_draw(PhiloxKey key, std::uint32_t step, std::uint64_t element) {
  const PhiloxBlock block = philox(philox_counter(element / 8, step, 0, Purpose::direction), key);
  return draw16_of(rounding_draws(block), static_cast<std::uint32_t>(element % 8));
}

inline float z_of(const WeightPass& pass, std::uint32_t step, std::uint32_t probe,
                  std::uint64_t element) {
  float z;
  fill_reference(pass.distribution, {pass.key, step, probe}, element, 1, &z);
  return z;
}

inline void write_read_value(const WeightPass& pass, void* out, std::int64_t i, float value,
                             std::uint32_t draw16) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (pass.type == at::kFloat)
    static_cast<float*>(out)[i] = value;
  else if (pass.type == at::kHalf)
    static_cast<std::uint16_t*>(out)[i] =
        pass.dithered ? stochastic_fp16(bits, draw16) : fp32_bits_to_fp16(bits);
  else
    static_cast<std::uint16_t*>(out)[i] =
        pass.dithered ? static_cast<std::uint16_t>(stochastic_bf16(bits, draw16) >> 16)
                      : fp32_bits_to_bf16(bits);
}

// As run_range(). Element i of the range is stored at weights[i] and read into outs[stream][i].
inline void scalar_range(const WeightPass& pass, const StoredView& weights, std::uint64_t first,
                         std::int64_t n, std::span<const Update> missed,
                         std::span<void* const> outs) {
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t element = first + static_cast<std::uint64_t>(i);
    for (const Update& update : missed) {
      bool moves = update.decay != 0;
      float u = 0;
      for (const Term& term : update.terms) {
        u = std::fma(term.coefficient, z_of(pass, term.step, term.probe, element), u);
        moves = moves || term.coefficient != 0;
      }
      if (!moves) continue;
      float theta = stored_value(weights, i);
      if (update.decay != 0) theta = std::fma(-update.decay, theta, theta);
      store_value(weights, i, theta - u, rounding_draw(pass.key, update.step, element));
    }
    const float theta = stored_value(weights, i);
    for (std::size_t s = 0; s < outs.size(); ++s) {
      const auto [probe, epsilon] = pass.streams[s];
      const float value =
          probe < 0
              ? theta
              : std::fma(epsilon, z_of(pass, pass.step, static_cast<std::uint32_t>(probe), element),
                         theta);
      write_read_value(pass, outs[s], i, value, rounding_draw(pass.key, pass.step, element));
    }
  }
}

class ScalarKernels : public WeightKernels {
 public:
  void run(const WeightPass& pass) const override {
    const std::int64_t out_bytes = pass.type == at::kFloat ? 4 : 2;
    std::vector<void*> outs(pass.streams.size());
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const std::int64_t unit = pass.rows ? pass.rows[i] : i;
      const std::int32_t seen = pass.unit_seen ? pass.unit_seen[unit] : pass.seen;
      for (std::size_t s = 0; s < outs.size(); ++s)
        outs[s] = static_cast<char*>(pass.out) +
                  (static_cast<std::int64_t>(s) * pass.count + i) * pass.width * out_bytes;
      scalar_range(pass, advanced(pass.weights, unit * pass.width),
                   static_cast<std::uint64_t>(unit * pass.width), pass.width,
                   pass.updates.subspan(static_cast<std::size_t>(seen)), outs);
      if (pass.unit_seen) pass.unit_seen[unit] = static_cast<std::int32_t>(pass.updates.size());
    }
  }
};

}  // namespace mezo
