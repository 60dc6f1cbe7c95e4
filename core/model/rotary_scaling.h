#pragma once
// Rotary positions of models that were stretched to longer texts than they were first trained on:
// each kind says how much slower a pair of elements turns. The operations are those of transformers
// (modeling_rope_utils.py) in its order, so the frequencies have the same bits. For
// core/model/rotary_config.h, which reads the numbers that they depend on.

#include <cstdint>
#include <vector>

#include "core/api.h"
#include "core/model/rotary.h"

namespace mezo {

// LLaMA 3.1: pairs whose wave is longer than original / low_frequency positions turn `factor` times
// slower, those with one shorter than original / high_frequency as before, others in between.
struct Llama3Scaling {
  double factor = 1, low_frequency = 1, high_frequency = 4;
  double original = 8192;  // positions of the first training
};
MEZO_API std::vector<float> llama3_frequencies(std::int64_t width, double base,
                                               const Llama3Scaling&);

// YaRN, Peng et al. 2023, arXiv 2309.00071: `factor` times slower where a pair turns less than
// beta_slow times in `original` positions, as before where more than beta_fast times.
struct YarnScaling {
  double factor = 1, original = 4096;
  double beta_fast = 32, beta_slow = 1;
  bool truncate = true;  // the borders in between lie at whole pairs
};
MEZO_API std::vector<float> yarn_frequencies(std::int64_t width, double base, const YarnScaling&);

// By how much YaRN's attention is sharpened, as the square root of it.
MEZO_API double yarn_amplitude(double factor, double scale = 1);

// The base that "dynamic" scaling has for sequences no longer than `positions`, the model's own:
// the given one but for rounding. `width` is above 2.
MEZO_API double dynamic_base(std::int64_t width, double base, double factor, double positions);

}  // namespace mezo
