#pragma once
// The kernels of exact zeroth-order training on the CPU, fp32 storage: bring stored weights up to
// date with the updates they have missed, and write the two perturbed copies of one probe, in one
// pass over the weights. Single-threaded over a range; callers split tensors as they like, since
// every result is a function of the element's index alone. The arithmetic is that of an exact
// update: for each missed step, with probes in order,
//
//   u = 0;  u = fma(c_p, z_p, u);  theta' = fma(-decay, theta, theta) - u
//   plus = fma(eps, z, theta')
//   minus = fma(-eps, z, theta')
//
// in fp32 with one rounding each,
// and the file is compiled without contraction, so no compiler adds or drops a rounding. Malladi et
// al. 2023, algorithm 1.

#include <cstdint>
#include <span>

#include "core/api.h"
#include "core/zo/direction.h"

namespace mezo {

// What one finished step does to the weights. A step whose coefficients and decay are all zero
// writes nothing.
struct Update {
  std::uint32_t step = 0;
  float decay = 0;  // fp32(learning rate * weight decay), 0 where a tensor is not decayed
  std::span<const float>
      coefficients;  // a probe each: fp32(learning rate * projected gradient / probes)
};

struct Probe {
  std::uint32_t step = 0;
  std::uint32_t probe = 0;
  float epsilon = 0;
};

// theta[0, n) are the elements first .. first + n of the tensor whose key is given.
MEZO_API void advance(float* theta, std::int64_t n, std::uint64_t first, PhiloxKey key,
                      std::span<const Update> missed);

// advance(), then plus and minus. The three ranges must not overlap.
MEZO_API void advance_and_perturb(float* theta, std::int64_t n, std::uint64_t first, PhiloxKey key,
                                  std::span<const Update> missed, const Probe& probe, float* plus,
                                  float* minus);

}  // namespace mezo
