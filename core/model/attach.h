#pragma once
// A PEFT mode meets a model: what of it trains, and what the mode adds to it. Between declaring a
// model's parameters and making room for them.

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

}  // namespace mezo
