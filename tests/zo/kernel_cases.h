#pragma once
// Work for the kernels: weights of every kind of fp32, updates, and the same arithmetic in plain
// scalar code. Used by the test that compares the two and by kernel_hash.cpp, which is built for
// several instruction sets.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "core/zo/direction.h"
#include "core/zo/kernel.h"

namespace mezo {

// Ordinary weights, with zeros, subnormals, very small and very large ones in between.
inline std::vector<float> kernel_weights(std::int64_t n, std::uint64_t seed,
                                         float very_large = 1e30f) {
  std::vector<float> w(static_cast<std::size_t>(n));
  fill_reference(Distribution::gaussian, {philox_key(seed, "weights"), 0, 0}, 0, n, w.data());
  for (std::int64_t i = 0; i < n; ++i) {
    float& x = w[static_cast<std::size_t>(i)];
    if (i % 11 == 3)
      x *= 1e-39f;  // subnormal
    else if (i % 13 == 5)
      x *= 1e-37f;
    else if (i % 17 == 2)
      x *= very_large;
    else if (i % 19 == 7)
      x = -0.0f;
    else
      x *= 0.02f;
  }
  return w;
}

// c_p of each probe of a step, as its update has them.
inline std::vector<Term> terms_of(std::uint32_t step, const std::vector<float>& coefficients) {
  std::vector<Term> terms;
  for (std::size_t p = 0; p < coefficients.size(); ++p)
    terms.push_back({step, static_cast<std::uint32_t>(p), coefficients[p]});
  return terms;
}

struct OwnedUpdate {
  std::uint32_t step;
  float decay;
  std::vector<Term> terms;
  Update view() const { return {step, decay, terms}; }
};

// Updates of `probes` terms, every third with one of an earlier step too; scale 1e-38 makes updates
// that are subnormal.

inline std::vector<OwnedUpdate> kernel_updates(int steps, int probes, float scale, float decay) {
  std::vector<OwnedUpdate> updates;
  for (int s = 0; s < steps; ++s) {
    OwnedUpdate u{static_cast<std::uint32_t>(3 * s + 1), s % 2 ? 0.0f : decay, {}};
    for (int p = 0; p < probes; ++p)
      u.terms.push_back({u.step, static_cast<std::uint32_t>(p),
                         scale * static_cast<float>((s + 2) * (p % 2 ? -1 : 1))});
    if (s % 3 == 2) u.terms.push_back({u.step - 3, 1, scale * 0.75f});
    updates.push_back(u);
  }
  return updates;
}

inline std::vector<Update> views(const std::vector<OwnedUpdate>& owned) {
  std::vector<Update> updates;
  for (const OwnedUpdate& u : owned) updates.push_back(u.view());
  return updates;
}

// One probe's two perturbed copies, as training reads them.
struct Probe {
  std::uint32_t step = 0;
  std::uint32_t probe = 0;
  float epsilon = 0;
  std::vector<Stream> streams() const {
    return {{static_cast<std::int32_t>(probe), epsilon},
            {static_cast<std::int32_t>(probe), -epsilon}};
  }
};

// The kernel over fp32 weights, elements first .. first + n of a tensor.
inline void advance(float* theta, std::int64_t n, std::uint64_t first, PhiloxKey key,
                    std::span<const Update> missed) {
  WeightPass pass;
  pass.key = key;
  run_range(pass, {Storage::float32, theta, nullptr}, first, n, missed, {});
}

inline void advance_and_perturb(float* theta, std::int64_t n, std::uint64_t first, PhiloxKey key,
                                std::span<const Update> missed, const Probe& probe, float* plus,
                                float* minus) {
  const std::vector<Stream> streams = probe.streams();
  WeightPass pass;
  pass.key = key;
  pass.step = probe.step;
  pass.streams = streams;
  void* const outs[] = {plus, minus};
  run_range(pass, {Storage::float32, theta, nullptr}, first, n, missed, outs);
}

inline void advance_reference(float* theta, std::int64_t n, std::uint64_t first, PhiloxKey key,
                              const std::vector<Update>& missed) {
  for (const Update& update : missed)
    for (std::int64_t i = 0; i < n; ++i) {
      float u = 0;
      bool writes = update.decay != 0;
      for (const Term& term : update.terms) {
        float z;
        fill_reference(Distribution::gaussian, {key, term.step, term.probe},
                       first + static_cast<std::uint64_t>(i), 1, &z);
        u = std::fma(term.coefficient, z, u);
        writes = writes || term.coefficient != 0;
      }
      if (writes) theta[i] = std::fma(-update.decay, theta[i], theta[i]) - u;
    }
}

inline void perturb_reference(const float* theta, std::int64_t n, std::uint64_t first,
                              PhiloxKey key, const Probe& probe, float* plus, float* minus) {
  for (std::int64_t i = 0; i < n; ++i) {
    float z;
    fill_reference(Distribution::gaussian, {key, probe.step, probe.probe},
                   first + static_cast<std::uint64_t>(i), 1, &z);
    plus[i] = std::fma(probe.epsilon, z, theta[i]);
    minus[i] = std::fma(-probe.epsilon, z, theta[i]);
  }
}

inline bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace mezo
