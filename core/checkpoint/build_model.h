#pragma once
// From a configuration to a model without weights: the family builds it and declares its
// parameters, then a PEFT mode says what of it trains and what it adds. No file of the model is
// opened; a mode that starts from an adapter folder looks into that. Both prepare_model() and
// tools/bench_step start here.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/config/parameters.h"
#include "core/forward/network.h"
#include "core/model/peft.h"

namespace mezo {

// A mode with the component that answers for it; or none: nothing trains.
struct ChosenPeft {
  std::shared_ptr<const Peft> peft;
  Component component;
};

struct BuiltModel {
  ModelConfig config;
  std::shared_ptr<const ModelFamily> family;
  Network network;
  std::vector<ParameterSpec> specs;  // the model's own, then the adapter's
  std::vector<bool> trained;         // of each
  Parameter tied = {};               // the embedding that is the head too, if one is
  bool untied = false;               // a head that the configuration ties, but not the files
  std::vector<TensorNames::Alias> aliases = {};  // of these files alone, before the family's
  std::vector<std::string> notes = {};           // what a user should know of the model

  // The model's own; its adapter's tensors, which are not in its files, come behind them.
  MEZO_API std::span<const ParameterSpec> base_specs() const;
  MEZO_API std::int64_t parameters() const;  // of the model's own

  // How weight files call the parameters. Throws ModelError where the family cannot be read from
  // files of that kind.
  MEZO_API TensorNames file_names(FileKind) const;

  // Whether none of the parameters that train is a matrix or an embedding: then all streams read
  // the same ones, and they need no room for updates.
  MEZO_API bool frozen() const;
};

// `settings`: the family's own, checked. Throws ModelError for a configuration that the family
// cannot serve, ConfigError where the mode does not fit it, PluginError where an answer of either
// does not fit.
MEZO_API BuiltModel build_model(const ModelConfig& config, const Component& family,
                                const Parameters& settings = {}, const ChosenPeft& mode = {});

// The same model under another mode; what that would train.
MEZO_API bool frozen_under(const BuiltModel& model, const ChosenPeft& mode);

}  // namespace mezo
