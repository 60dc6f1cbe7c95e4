// Softmax cross-entropy over an example's options, averaged over the batch, or the cross-entropy of
// the right answer's tokens: the losses that MeZO's experiments minimise (Malladi et al. 2023,
// appendix E). Differentiable.

#include <ATen/ops/log_softmax.h>

#include "core/plugin/component.h"
#include "core/task/objective.h"

namespace {

class CrossEntropy : public mezo::Objective {
 public:
  explicit CrossEntropy(const mezo::Parameters& p) : over_(p.text("over")) {}

  mezo::Needs needs() const override { return over_ == "answer" ? tokens() : mezo::Needs{}; }
  mezo::Needs needs_of_texts() const override {
    return over_ == "options" ? mezo::Needs{} : tokens();
  }

  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets& targets) const override {
    return outputs.option_scores.defined() ? over_options(outputs.option_scores, targets)
                                           : over_tokens(outputs.token_log_likelihoods);
  }

  bool differentiable() const override { return true; }

 private:
  static mezo::Needs tokens() {
    return {.option_scores = false, .token_log_likelihoods = true, .right_answer = true};
  }

  // scores: [S, E, O]
  static at::Tensor over_options(const at::Tensor& scores, const mezo::Targets& targets) {
    const at::Tensor log_share = at::log_softmax(scores, -1);
    const at::Tensor right =
        targets.labels.view({1, -1, 1}).expand({scores.size(0), scores.size(1), 1});
    return log_share.gather(-1, right).squeeze(-1).mean({1}).neg();
  }

  // [S, T]: a long answer weighs as much as it has tokens, as in the MeZO authors' code.
  static at::Tensor over_tokens(const at::Tensor& log_likelihoods) {
    return log_likelihoods.to(at::kDouble).mean({1}).neg();
  }

  std::string over_;
};

constexpr const char* what[] = {"task", "options", "answer", nullptr};

constexpr mezo_parameter parameters[] = {
    {"over", MEZO_TEXT, "task", nullptr, what, nullptr,
     "options: the right one among an example's; answer: each token of the right one, behind the "
     "prompt; task: options, or answer where the task has none"}};

constexpr mezo_component components[] = {mezo::component<CrossEntropy, mezo::Objective>(
    MEZO_OBJECTIVE, "cross_entropy",
    "softmax cross-entropy over the options, or over the vocabulary for each token of the answer",
    parameters)};

}  // namespace

MEZO_PLUGIN("cross_entropy", "1.1.0", "Cross-entropy over options or of answers", "MIT", components)
