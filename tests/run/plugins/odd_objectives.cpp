// Objectives that break their promise, one each: what a run must survive, or name. And two that can
// only be computed of a whole batch.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>

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

template <int kind>
constexpr mezo_component odd(const char* id) {
  return mezo::component<Odd<kind>, mezo::Objective>(MEZO_OBJECTIVE, id, "for a test");
}

constexpr mezo_component components[] = {odd<0>("wrong_shape"),  odd<1>("no_tensor"),
                                         odd<2>("throwing"),     odd<3>("throwing_torch"),
                                         odd<4>("not_a_number"), odd<5>("integers_of_streams"),
                                         odd<6>("examples"),     odd<7>("spread")};

}  // namespace

MEZO_PLUGIN("odd_objectives", "1.0.0", "Objectives for tests", "MIT", components)
