#pragma once
// The rotary positions that a configuration asks for. Files spell them in several ways (a base at
// the top, one inside of an object, `type` and `rope_type`), so families read them here, once for
// all and as transformers does. Costs a few powers.

#include <cstdint>

#include "core/api.h"
#include "core/model/model_config.h"
#include "core/model/rotary.h"

namespace mezo {

// Of heads that are rotated whole, `width` elements (even, above 0). The object is `rope_scaling`
// where that says anything, else `rope_parameters`; a base inside of it wins over `rope_theta` at
// the top. Kinds: default, and linear by its factor. Throws ModelError for every other kind, and
// for an entry of the object that has no place in its kind, naming the key.
MEZO_API Rotary rotary_of(const ModelConfig& config, std::int64_t width);

}  // namespace mezo
