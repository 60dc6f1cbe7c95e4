#pragma once
// A PEFT mode meets a model: what of it trains, and what the mode adds to it. Between declaring a
// model's parameters and making room for them.

#include <span>
#include <vector>

#include "core/model/model.h"
#include "core/model/peft.h"

namespace mezo {

struct Attached {
  std::vector<bool> trained;  // each declared parameter, the adapter's behind the model's own
  AttachedAdapter adapter;
};

// `model` and its component `family` have declared their parameters; the mode's follow. Throws what
// the mode throws, and PluginError where its answer does not fit.
MEZO_API Attached attach(const ChosenPeft& mode, const Model& model, const Component& family,
                         Declaration& declaration);

// Whether none of the parameters that train is a matrix or an embedding: then all streams read the
// same ones, and they need no room for updates.
MEZO_API bool is_frozen(std::span<const ParameterSpec> parameters,
                        const std::vector<bool>& trained);

}  // namespace mezo
