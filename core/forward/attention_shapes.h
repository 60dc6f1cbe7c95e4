#pragma once
// The shape of each layer's attention, found by asking: one token of zeros goes through the model,
// and what its attention() calls are given is noted. So every family that there is or will be can
// take a prefix, without a word about it. Costs less than a millisecond a layer; reads no weights.

#include <span>
#include <vector>

#include "core/model/adapter.h"
#include "core/model/model.h"

namespace mezo {

// `parameters`: those that the model declared. Throws std::logic_error where a layer has no
// attention or two layers one number.
MEZO_API std::vector<AttentionShape> attention_shapes(const Model& model,
                                                      std::span<const ParameterSpec> parameters);

}  // namespace mezo
