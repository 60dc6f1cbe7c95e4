#include "core/train/zero_order.h"

#include <ATen/core/LegacyTypeDispatch.h>

#include <algorithm>
#include <limits>
#include <sstream>

#include "core/answer/answer.h"
#include "core/error.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

std::string described(const at::Tensor& value) {
  if (!value.defined()) return "no tensor";
  std::ostringstream text;
  text << "shape " << value.sizes() << " of " << value.scalar_type();
  return text.str();
}

}  // namespace

StepMaker::~StepMaker() = default;

Needs needs_of(const ChosenObjective& objective) {
  return guard(
      objective.component,
      [&] {
        return objective.of_texts ? objective.objective->needs_of_texts()
                                  : objective.objective->needs();
      },
      "computing needs()");
}

// The objective at every stream of one batch, however many forwards that takes: it is given all
// examples at once.
std::vector<double> ZeroOrderStep::losses(ParameterSource& source, const Asked& batch) const {
  const Component& component = objective_.component;
  // Texts alone are generated together: a generator bounds its memory itself, and its copies of
  // the weights are made once.
  const bool texts_alone =
      batch.needs.texts && !batch.needs.option_scores && !batch.needs.token_log_likelihoods;
  const std::size_t all = batch.questions.size(),
                    some = micro_batch_ && !texts_alone ? micro_batch_ : all;
  std::vector<Pending> forwards;
  for (std::size_t first = 0; first < all; first += some)
    forwards.push_back(begin_answering(network_, source,
                                       batch.questions.subspan(first, std::min(some, all - first)),
                                       batch.needs, {generator_, batch.step}));
  const Outputs outputs = collect(forwards);
  const at::Tensor value = guard(
      component, [&] { return objective_.objective->value(outputs, batch.targets); },
      "computing value()");
  if (!value.defined() || value.dim() != 1 || value.size(0) != source.streams() ||
      value.is_complex())
    throw PluginError("[objective " + std::string(component.id()) +
                      "] value() must return one real number a stream, shape [" +
                      std::to_string(source.streams()) + "], got " + described(value) +
                      " (plugin " + component.plugin->path.string() + ")");
  const at::Tensor doubles = value.to(at::kCPU, at::kDouble).contiguous();
  const double* first = doubles.const_data_ptr<double>();
  std::vector<double> losses(first, first + doubles.numel());
  // An objective sees the text alone, which is as good as any other.
  for (std::size_t s = 0; s < losses.size(); ++s)
    if (has_lost_text(forwards, s)) losses[s] = std::numeric_limits<double>::quiet_NaN();
  return losses;
}

StepOutcome ZeroOrderStep::step(std::uint32_t step, double learning_rate,
                                std::span<const Question* const> questions) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  const Asked batch{questions, needs_of(objective_), targets_of(questions), step};
  StepResult result = take_step(weights_, estimator_, step, learning_rate,
                                [&](ParameterSource& source) { return losses(source, batch); });
  return {result.loss, std::move(result.scalars), estimator_.projected_gradients(), result.applied};
}

}  // namespace mezo
