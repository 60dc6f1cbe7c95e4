#pragma once
// What a PEFT plugin implements: a mode, which says what of a model trains, what it adds to the
// model (core/model/adapter.h), and what it recommends to train them with. The rest of the host,
// and every model plugin, is the same for all modes. A mode that can start from an adapter folder
// has a setting `adapter`, a path that is empty where there is none; `mezo eval` evaluates such an
// adapter, and the base alone without one.
// A mode's methods are called one at a time, by the thread that sets a run up.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/api.h"
#include "core/model/adapter.h"
#include "core/model/declaration.h"

namespace mezo {

// A model before its weights are read.
struct ModelOutline {
  std::span<const ParameterSpec> parameters;  // in the order of their declaration

  // Of each layer. Found out when it is asked for, which runs the model's forward on one token and
  // throws PluginError where its layers are not numbered from 0 in order.
  std::function<std::vector<AttentionShape>()> attention;
};

class MEZO_API Peft {
 public:
  virtual ~Peft();

  // One flag for each of the model's own parameters, in their order: none, unless a mode says
  // otherwise. Throws ConfigError if a setting fits none of them.
  virtual std::vector<bool> trained(std::span<const ParameterSpec> parameters) const;

  // Declares the tensors that the mode adds (Declaration::adapter), all of which train, and returns
  // what uses them; nullptr: it adds nothing. Throws ConfigError if a setting does not fit the
  // model.
  virtual std::shared_ptr<Adapter> adapt(const ModelOutline& model, Declaration& declare) const;

  // Settings whose values followed from something else, as a YAML file writes them: {"rank", "16"}
  // where an adapter folder said so. They are recorded in place of the given ones.
  virtual std::vector<std::pair<std::string, std::string>> resolved() const { return {}; }

  // What `learning_rate: auto` and `epsilon: auto` stand for.
  struct Recommended {
    double learning_rate;
    double epsilon;
  };
  virtual Recommended recommended() const = 0;
};

}  // namespace mezo
