// Softmax cross-entropy over an example's options, averaged over the batch: the loss that MeZO's
// experiments minimise (Malladi et al. 2023, appendix E). Differentiable.

#include <ATen/ops/log_softmax.h>

#include "core/plugin/component.h"
#include "core/task/objective.h"

namespace {

class CrossEntropy : public mezo::Objective {
 public:
  explicit CrossEntropy(const mezo::Parameters&) {}

  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets& targets) const override {
    const at::Tensor& scores = outputs.option_scores;  // [S, E, O]
    const at::Tensor log_share = at::log_softmax(scores, -1);
    const at::Tensor right =
        targets.labels.view({1, -1, 1}).expand({scores.size(0), scores.size(1), 1});
    return log_share.gather(-1, right).squeeze(-1).mean({1}).neg();
  }

  bool differentiable() const override { return true; }
};

constexpr mezo_component components[] = {mezo::component<CrossEntropy, mezo::Objective>(
    MEZO_OBJECTIVE, "cross_entropy",
    "softmax cross-entropy over the options, mean over the batch")};

}  // namespace

MEZO_PLUGIN("cross_entropy", "1.0.0", "Cross-entropy over options", "MIT", components)
