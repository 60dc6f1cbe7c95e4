#pragma once
// What a forward needs to know: the model's two functions, what a PEFT mode adds to them, and who
// answers for each. No weights (core/model/parameter_source.h brings them), no files. Made by
// core/checkpoint/build_model.h; used by everything that runs a forward.

#include <cstdint>
#include <memory>

#include "core/model/adapter.h"
#include "core/model/model.h"
#include "core/plugin/registry.h"

namespace mezo {

// An adapter with the component that answers for it (core/plugin/create.h, guard); or none.
struct AttachedAdapter {
  std::shared_ptr<Adapter> adapter;
  Component component;
  explicit operator bool() const { return adapter != nullptr; }
};

struct Network {
  std::shared_ptr<const Model> model;
  Component family;          // that made the model
  AttachedAdapter adapter;   // of the mode, if it adds one
  std::int64_t entries = 0;  // of the vocabulary that head() gives logits of
  bool causal = true;        // a context may be computed once for several options
};

}  // namespace mezo
