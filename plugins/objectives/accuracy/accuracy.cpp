// Minus the share of the batch whose best-scored option is a right one. It has no gradient and
// needs none: MeZO only compares its value at two points. Malladi et al. 2023, section 3.3.
//
// To write an objective of your own, copy this folder and change the names and value(): the build
// finds every folder here. A run then names it: `objective: {type: yours}`.

#include "core/plugin/component.h"
#include "core/task/metrics.h"

namespace {

class Accuracy : public mezo::Objective {
 public:
  explicit Accuracy(const mezo::Parameters&) {}

  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets& targets) const override {
    return mezo::accuracy(outputs, targets).neg();  // [S], the lower the better
  }
};

constexpr mezo_component components[] = {mezo::component<Accuracy, mezo::Objective>(
    MEZO_OBJECTIVE, "accuracy", "minus the share of examples answered right; not differentiable")};

}  // namespace

MEZO_PLUGIN("accuracy", "1.0.0", "Accuracy as an objective", "MIT", components)
