#pragma once
// The rotary positions that a configuration asks for. Files spell them in several ways (a base at
// the top, one inside of an object, `type` and `rope_type`), so families read them here, once for
// all and as transformers does. Costs a few powers.

#include <cstdint>
#include <optional>
#include <string>

#include "core/api.h"
#include "core/model/model_config.h"
#include "core/model/rotary.h"

namespace mezo {

// Where a configuration says how its layers, or those of one kind, turn.
struct RotaryKeys {
  // "rope_parameters.full_attention"; empty: no object; nothing: `rope_scaling` where that says
  // anything, else `rope_parameters`.
  std::optional<std::string> object = {};
  std::string base_key = "rope_theta";  // at the top, for an object without a base of its own
  double base = 10000;                  // where neither says one
  // The share of each head that is rotated, its first elements, at the top for an object without a
  // `partial_rotary_factor`; and where neither says one. Empty: heads are rotated whole.
  std::string share_key = {};
  double share = 1;
};

// Of heads of `width` elements (even, above 0). A base, or a share, inside of the object wins over
// one at the top. Kinds: default, linear,
// llama3, yarn, and dynamic, which is what transformers computes for sequences of up to
// max_position_embeddings (ModelFamily::max_positions). Throws ModelError for every other kind, and
// for an entry of the object that has no place in its kind, naming the key.
MEZO_API Rotary rotary_of(const ModelConfig& config, std::int64_t width,
                          const RotaryKeys& keys = {});

}  // namespace mezo
