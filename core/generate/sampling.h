#pragma once
// Which token comes next. Greedy: the likeliest, of equals the first. Otherwise by chance, under
// the rules that transformers has in this order: temperature, top_k, top_p (Holtzman et al. 2020,
// "The Curious Case of Neural Text Degeneration"). The draw is a pure function of the seed, the
// prompt's number and the token's place, so that a text does not depend on what it was generated
// beside, on threads or on the device; logits that differ in their last bits change it only where a
// draw falls between two tokens.

#include <cstdint>
#include <span>

#include "core/api.h"

namespace mezo {

struct Sampling {
  double temperature = 0;  // divides the logits; 0: greedy
  std::int64_t top_k =
      0;             // only so many likeliest tokens (and those as likely as the last); 0: all
  double top_p = 1;  // only the likeliest that together have this share, one at least
  std::uint64_t seed = 0;

  bool greedy() const { return temperature == 0; }
};

// In [0, 1). `step` sets apart what one run generates of the same prompt at different times.
MEZO_API double draw_of(std::uint64_t seed, std::uint64_t prompt, std::int64_t place,
                        std::uint32_t step);

// The token that the draw falls on, of `logits`, one for each entry of the vocabulary and none of
// them NaN or plus infinity. Computed in double. Not for greedy choices.
MEZO_API std::int32_t sample(std::span<const float> logits, const Sampling& sampling, double draw);

}  // namespace mezo
