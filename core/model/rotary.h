#pragma once
// Rotary positions as numbers: how fast each pair of a head's elements turns, computed once by the
// model plugin while it is built. Ops::rope() turns by them; the host makes the cosines and sines
// of a batch once, whatever the number of layers. A model may have several (bases of local and
// global layers). Su et al. 2021, arXiv 2104.09864.

#include <cstdint>
#include <vector>

#include "core/api.h"

namespace mezo {

struct Rotary {
  // Which elements of the rotated part of a head, n of them, make a pair.
  enum class Pairs {
    halves,      // i and i + n/2, as transformers has LLaMA and most others
    interleaved  // 2i and 2i + 1, as GPT-J and GLM
  };

  // Radians a position, of each pair. The first 2 * frequencies.size() elements of a head are
  // rotated and the others pass through; a frequency of 0 leaves its pair as it is too.
  std::vector<float> frequencies;
  Pairs pairs = Pairs::halves;
  // Multiplies cosines and sines: the attention factor of yarn and longrope.
  float amplitude = 1;

  bool operator==(const Rotary&) const = default;
};

// base^(-2i/width) for i < width/2, in fp32 as transformers computes them; the start of every
// scaled kind too. `width` (the rotated elements of a head) is even and above 0, `base` above 0:
// std::logic_error otherwise.
MEZO_API std::vector<float> rotary_frequencies(std::int64_t width, double base);

}  // namespace mezo
