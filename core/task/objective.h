#pragma once
// What an objective plugin implements: one number for each stream from what the model answered. An
// objective needs no gradient; anything that can be computed will do. plugins/objectives/accuracy
// is the shortest complete example.
//
// The host calls value() once a step, with the whole batch, however it was divided to compute it:
// so a measure that is not an average over examples (F1) is computed as it is meant.

#include <ATen/core/Tensor.h>

#include "core/api.h"

namespace mezo {

// S streams, E examples, at most O options an example.
struct Outputs {
  // [S, E, O] fp32, higher is better: the mean log-probability of each option's tokens, up to a
  // constant that all options of one example share; minus infinity where an example has fewer than
  // O options.
  at::Tensor option_scores;
};

struct Targets {
  at::Tensor labels;  // [E] int64: the right option's place in its example's list
};

class MEZO_API Objective {
 public:
  virtual ~Objective();

  // [S] fp32 or fp64, lower is better. Must not keep or change its arguments.
  virtual at::Tensor value(const Outputs&, const Targets&) const = 0;

  // Whether value() is built from differentiable tensor operations.
  virtual bool differentiable() const { return false; }
};

}  // namespace mezo
