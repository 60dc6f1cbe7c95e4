// Objectives that break their promise, one each: what a run must survive, or name. Two that can
// only be computed of a whole batch. And two that ask for other answers than option scores.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <stdexcept>

#include "core/plugin/component.h"
#include "core/task/objective.h"

namespace {

template <int kind>
class Odd : public mezo::Objective {
 public:
  explicit Odd(const mezo::Parameters&) {}

  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets&) const override {
    const std::int64_t streams = outputs.option_scores.size(0);
    switch (kind) {
      case 0:
        return outputs.option_scores.mean();
      case 1:
        return {};
      case 2:
        throw std::runtime_error("no luck today");
      case 3:
        return at::cat({outputs.option_scores, at::full({7}, 1.0)});
      case 4:
        return at::full({streams}, std::numeric_limits<double>::quiet_NaN());
      case 6:  // how many examples it sees
        return at::full({streams}, static_cast<double>(outputs.option_scores.size(1)));
      case 7: {  // no mean over examples
        const at::Tensor first = outputs.option_scores.select(2, 0);
        return first.amax({1}) - first.amin({1});
      }
      default:
        return outputs.option_scores.argmax(-1).sum({1});
    }
  }
};

// Minus the mean log-likelihood of the right answer's tokens: teacher forcing.
class AnswerTokens : public mezo::Objective {
 public:
  explicit AnswerTokens(const mezo::Parameters&) {}

  mezo::Needs needs() const override {
    return {.option_scores = false, .token_log_likelihoods = true};
  }
  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets& targets) const override {
    const at::Tensor& tokens = outputs.token_log_likelihoods;  // [S, T]
    const std::int64_t examples = targets.labels.size(0);
    at::Tensor sum = at::zeros({tokens.size(0)});
    for (std::int64_t e = 0; e < examples; ++e) {
      const auto right =
          static_cast<std::size_t>(outputs.option_offsets[static_cast<std::size_t>(e)] +
                                   targets.labels[e].item<std::int64_t>());
      const std::int64_t begin = outputs.token_offsets[right],
                         end = outputs.token_offsets[right + 1];
      sum = sum - tokens.slice(1, begin, end).mean({1});
    }
    return sum / static_cast<double>(examples);
  }
};

class Texts : public mezo::Objective {
 public:
  explicit Texts(const mezo::Parameters&) {}

  mezo::Needs needs() const override { return {.option_scores = false, .texts = true}; }
  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets&) const override {
    return at::zeros({static_cast<std::int64_t>(outputs.texts.size())});
  }
};

template <class Interface>
constexpr mezo_component asking(const char* id) {
  return mezo::component<Interface, mezo::Objective>(MEZO_OBJECTIVE, id, "for a test");
}

template <int kind>
constexpr mezo_component odd(const char* id) {
  return mezo::component<Odd<kind>, mezo::Objective>(MEZO_OBJECTIVE, id, "for a test");
}

constexpr mezo_component components[] = {
    odd<0>("wrong_shape"),    odd<1>("no_tensor"),    odd<2>("throwing"),
    odd<3>("throwing_torch"), odd<4>("not_a_number"), odd<5>("integers_of_streams"),
    odd<6>("examples"),       odd<7>("spread"),       asking<AnswerTokens>("answer_tokens"),
    asking<Texts>("texts")};

}  // namespace

MEZO_PLUGIN("odd_objectives", "1.0.0", "Objectives for tests", "MIT", components)
