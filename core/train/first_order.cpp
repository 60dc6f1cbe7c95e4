#include "core/train/first_order.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/answer/answer.h"
#include "core/error.h"

namespace mezo {

namespace {

using Questions = std::span<const Question* const>;

std::vector<Adam::Trained> leaves_of(const LeafSource& source, const ParameterStore& store) {
  std::vector<Adam::Trained> trained;
  for (int i = 0; i < static_cast<int>(store.specs().size()); ++i)
    if (source.leaf({i}).defined())
      trained.push_back({source.leaf({i}), store.spec({i}).role != Role::vector});
  return trained;
}

void for_parts(Questions batch, std::size_t size,
               const std::function<void(std::size_t first, Questions)>& use) {
  for (std::size_t first = 0; first < batch.size(); first += size)
    use(first, batch.subspan(first, std::min(size, batch.size() - first)));
}

// The part of a whole batch's gradient that belongs to what some of its examples answered.
at::Tensor own_part(const at::Tensor& gradient, const at::Tensor& answered, std::int64_t first) {
  const at::Tensor own = gradient.narrow(1, first, answered.size(1));
  return answered.dim() == 3 ? own.narrow(2, 0, answered.size(2)) : own;
}

}  // namespace

FirstOrderStep::FirstOrderStep(const Network& network, const ChosenObjective& objective,
                               ParameterStore& store, const std::vector<bool>& trained,
                               at::ScalarType dtype, const AdamOptions& options,
                               std::uint32_t micro_batch)
    : network_(network),
      objective_(objective),
      source_(store, trained, dtype),
      adam_(leaves_of(source_, store), options),
      micro_batch_(micro_batch) {}

at::Tensor FirstOrderStep::value(const Outputs& outputs, Questions batch) const {
  const at::Tensor value = value_of(objective_, outputs, targets_of(batch), 1);
  if (!value.requires_grad())
    throw PluginError("[objective " + std::string(objective_.component.id()) +
                      "] value() has no gradient, although differentiable() is true (plugin " +
                      objective_.component.plugin->path.string() + ")");
  return value.sum();
}

double FirstOrderStep::backward_at_once(Questions batch) {
  const at::Tensor loss = value(answer(network_, source_, batch, needs_of(objective_)), batch);
  loss.backward();
  return loss.item<double>();
}

// First what the model answers, of which the objective has a gradient; then each part of the batch
// again, with the graph that carries its share of this gradient back.
double FirstOrderStep::backward_in_parts(Questions batch) {
  const Needs needs = needs_of(objective_);
  Outputs whole;
  {
    const at::NoGradGuard no_grad;
    std::vector<Pending> forwards;
    for_parts(batch, micro_batch_, [&](std::size_t, Questions part) {
      forwards.push_back(begin_answering(network_, source_, part, needs));
    });
    whole = collect(forwards);
    source_.end_forward();
  }
  for (at::Tensor* t : {&whole.option_scores, &whole.token_log_likelihoods})
    if (t->defined()) t->requires_grad_(true);
  const at::Tensor loss = value(whole, batch);
  loss.backward();
  for_parts(batch, micro_batch_, [&](std::size_t first, Questions part) {
    const Outputs own = answer(network_, source_, part, needs);
    // Of this sum only the gradient is meant: an answer's is its share.
    at::Tensor sum;
    const auto carry = [&](const at::Tensor& answered, const at::Tensor& of_all,
                           std::int64_t begin) {
      if (!answered.defined() || !of_all.grad().defined()) return;
      const at::Tensor own_sum = (answered * own_part(of_all.grad(), answered, begin)).sum();
      sum = sum.defined() ? sum + own_sum : own_sum;
    };
    carry(own.option_scores, whole.option_scores, static_cast<std::int64_t>(first));
    carry(own.token_log_likelihoods, whole.token_log_likelihoods,
          whole.token_offsets[static_cast<std::size_t>(whole.option_offsets[first])]);
    if (sum.defined()) sum.backward();
    source_.end_forward();
  });
  return loss.item<double>();
}

StepOutcome FirstOrderStep::step(std::uint32_t, double learning_rate, Questions batch) {
  const at::AutoGradMode autograd(true);
  const bool at_once = micro_batch_ == 0 || micro_batch_ >= batch.size();
  StepOutcome outcome;
  outcome.loss = at_once ? backward_at_once(batch) : backward_in_parts(batch);
  source_.end_forward();
  outcome.applied = std::isfinite(outcome.loss) && adam_.step(learning_rate);
  adam_.forget_gradients();
  return outcome;
}

}  // namespace mezo
