#pragma once
// What a PEFT plugin implements: which of a model's parameters train, and what it recommends to
// train them with. The rest of the host, and every model plugin, is the same for all modes.

#include <span>
#include <vector>

#include "core/api.h"
#include "core/model/declaration.h"

namespace mezo {

class MEZO_API Peft {
 public:
  virtual ~Peft();

  // One flag for each of the model's parameters, in their order. Throws ConfigError if a setting
  // fits none of them.
  virtual std::vector<bool> trained(std::span<const ParameterSpec> parameters) const = 0;

  // What `learning_rate: auto` and `epsilon: auto` stand for.
  struct Recommended {
    double learning_rate;
    double epsilon;
  };
  virtual Recommended recommended() const = 0;
};

}  // namespace mezo
