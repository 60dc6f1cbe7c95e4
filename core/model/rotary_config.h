#pragma once
// The rotary positions that a configuration asks for. Files spell them in several ways (a base at
// the top, one inside of an object, `type` and `rope_type`), so families read them here, once for
// all and as transformers does. Costs a few powers.

#include <cstdint>
#include <string>

#include "core/api.h"
#include "core/model/model_config.h"
#include "core/model/rotary.h"

namespace mezo {

// Where a configuration says how its layers, or those of one kind, turn.
struct RotaryKeys {
  std::string object;                   // "rope_parameters.full_attention"; empty: no object
  std::string base_key = "rope_theta";  // at the top, for an object without a base of its own
  double base = 10000;                  // where neither says one
};

// Of heads that are rotated whole, `width` elements (even, above 0). Kinds: default, linear,
// llama3, yarn, and dynamic, which is what transformers computes for sequences of up to
// max_position_embeddings (ModelFamily::max_positions). Throws ModelError for every other kind, and
// for an entry of the object that has no place in its kind, naming the key.
MEZO_API Rotary rotary_of(const ModelConfig& config, std::int64_t width, const RotaryKeys& keys);

// The same where all layers turn alike. The object is `rope_scaling` where that says anything, else
// `rope_parameters`; a base inside of it wins over `rope_theta` at the top, which wins over `base`.
MEZO_API Rotary rotary_of(const ModelConfig& config, std::int64_t width, double base = 10000);

}  // namespace mezo
