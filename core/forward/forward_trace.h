#pragma once
// What a model's forward does, found by asking: one token of zeros goes through its two functions,
// and what they call is noted. So whoever needs a model's layout (a prefix's shapes, which layer a
// parameter belongs to, in which order matrices are wanted) has it of every family that there is or
// will be, without a word about it in a plugin. Costs less than a millisecond a layer; reads no
// weights.

#include <span>
#include <vector>

#include "core/model/adapter.h"
#include "core/model/model.h"

namespace mezo {

struct ForwardTrace {
  int layers = 0;  // that enter_layer() opened

  // What each layer's attention() was given, from layer 0 on.
  std::vector<AttentionShape> attention;

  // Of each parameter, the layer that was open when it was first used: before_layers (embeddings),
  // 0 to layers - 1 (a norm behind the last layer is in it), `layers` for what only head() uses.
  static constexpr int before_layers = -1, not_used = -2;
  std::vector<int> layer;

  // Every parameter that is used once, in the order of first use.
  std::vector<Parameter> order;
};

// `parameters`: those that the model declared. Throws std::logic_error where layers are not entered
// in order from 0, or attention's are not numbered so.
MEZO_API ForwardTrace forward_trace(const Model& model, std::span<const ParameterSpec> parameters);

}  // namespace mezo
