// Minus the share of the batch whose best-scored option is the right one. It has no gradient and
// needs none: MeZO only compares its value at two points. Malladi et al. 2023, section 3.3.
//
// To write an objective of your own, copy this folder and change the names and value(): the build
// finds every folder here. A run then names it: `objective: {type: yours}`.

#include "core/plugin/component.h"
#include "core/task/objective.h"

namespace {

class Accuracy : public mezo::Objective {
 public:
  explicit Accuracy(const mezo::Parameters&) {}

  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets& targets) const override {
    const at::Tensor best = outputs.option_scores.argmax(-1);  // [S, E]
    return best.eq(targets.labels).to(at::kDouble).mean({1}).neg();
  }
};

constexpr mezo_component components[] = {mezo::component<Accuracy, mezo::Objective>(
    MEZO_OBJECTIVE, "accuracy", "minus the share of examples answered right; not differentiable")};

}  // namespace

MEZO_PLUGIN("accuracy", "1.0.0", "Accuracy as an objective", "MIT", components)
