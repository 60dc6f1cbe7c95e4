#pragma once
// The objective that a run trains on: what it asks of the model, and its value of what was
// answered.

#include <ATen/core/Tensor.h>

#include <memory>

#include "core/api.h"
#include "core/plugin/registry.h"
#include "core/task/objective.h"

namespace mezo {

struct ChosenObjective {
  std::shared_ptr<const Objective> objective;
  Component component;    // that answers for it
  bool of_texts = false;  // whether the task's answers are texts
};

// What it reads of answers of its task.
MEZO_API Needs needs_of(const ChosenObjective& objective);

// [streams], where the model's answers lie and in the objective's own type. Throws PluginError
// where value() gives anything else.
at::Tensor value_of(const ChosenObjective& objective, const Outputs& outputs,
                    const Targets& targets, int streams);

}  // namespace mezo
