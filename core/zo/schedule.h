#pragma once
// The learning rate of each step: a pinned function of the step, so that a trajectory replays to
// the same bits anywhere. No libm: cosine is a polynomial of IEEE operations.

#include <cstdint>

#include "core/api.h"

namespace mezo {

enum class Decay { constant, linear, cosine };

struct Schedule {
  double learning_rate = 0;  // the highest
  Decay decay = Decay::constant;
  std::uint32_t warmup = 0;  // steps; rises linearly, from 1 / warmup of the rate at the first
  std::uint32_t steps = 0;   // of the whole run
};

// Step t of n, from 0. After the warm-up the rate stays, or falls to 0 at step n: linearly, or as
// half a cosine.
MEZO_API double learning_rate_at(const Schedule& schedule, std::uint32_t step);

}  // namespace mezo
