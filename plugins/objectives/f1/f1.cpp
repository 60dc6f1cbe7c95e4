// Minus the mean F1 of generated texts, as SQuAD counts it. Malladi et al. 2023, section 3.3: an
// objective that exists only after decoding.

#include "core/plugin/component.h"
#include "core/task/metrics.h"

namespace {

class F1 : public mezo::Objective {
 public:
  explicit F1(const mezo::Parameters&) {}

  mezo::Needs needs() const override { return {.option_scores = false, .texts = true}; }

  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets& targets) const override {
    return mezo::f1(outputs, targets).neg();  // [S], the lower the better
  }
};

constexpr mezo_component components[] = {mezo::component<F1, mezo::Objective>(
    MEZO_OBJECTIVE, "f1", "minus the mean F1 of generated texts; not differentiable")};

}  // namespace

MEZO_PLUGIN("f1", "1.0.0", "F1 of generated texts as an objective", "MIT", components)
