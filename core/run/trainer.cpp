#include "core/run/trainer.h"

#include <ATen/core/LegacyTypeDispatch.h>

#include <algorithm>
#include <sstream>

#include "core/answer/answer.h"
#include "core/error.h"
#include "core/plugin/create.h"
#include "core/run/batch_order.h"

namespace mezo {

TrainerOptions trainer_options(const RunConfig& config) {
  const Parameters &optimizer = config.optimizer, &trainer = config.trainer;
  TrainerOptions options;
  options.batch_size = static_cast<std::uint32_t>(trainer.integer("batch_size"));
  if (!trainer.is_word("micro_batch"))
    options.micro_batch = static_cast<std::uint32_t>(trainer.integer("micro_batch"));
  options.seed = static_cast<std::uint64_t>(trainer.integer("seed"));
  const std::string& decay = optimizer.text("schedule");
  options.schedule = {config.learning_rate(),
                      decay == "linear"   ? Decay::linear
                      : decay == "cosine" ? Decay::cosine
                                          : Decay::constant,
                      static_cast<std::uint32_t>(optimizer.integer("warmup")),
                      static_cast<std::uint32_t>(trainer.integer("steps"))};
  options.spsa = {static_cast<float>(config.epsilon()),
                  static_cast<int>(optimizer.integer("probes")),
                  optimizer.number("weight_decay"),
                  optimizer.text("estimate") == "one_sided",
                  optimizer.text("streams") == "together",
                  optimizer.is_word("clip") ? 0.0 : optimizer.number("clip")};
  return options;
}

namespace {

std::string described(const at::Tensor& value) {
  if (!value.defined()) return "no tensor";
  std::ostringstream text;
  text << "shape " << value.sizes() << " of " << value.scalar_type();
  return text.str();
}

struct Step {
  std::vector<const Question*> batch;
  Targets targets;
  std::size_t micro_batch;
};

// The objective at every stream of one batch, however many forwards that takes: it is given all
// examples at once.
std::vector<double> losses_of(const Network& network, ParameterSource& source,
                              const Objective& objective, const Component& component,
                              const Step& step) {
  const Needs needs = guard(
      component, [&] { return objective.needs(); }, "computing needs()");
  std::vector<Pending> forwards;
  const std::span batch(step.batch);
  for (std::size_t first = 0; first < batch.size(); first += step.micro_batch)
    forwards.push_back(begin_answering(
        network, source, batch.subspan(first, std::min(step.micro_batch, batch.size() - first)),
        needs));
  const Outputs outputs = collect(forwards);
  const at::Tensor value = guard(
      component, [&] { return objective.value(outputs, step.targets); }, "computing value()");
  if (!value.defined() || value.dim() != 1 || value.size(0) != source.streams() ||
      value.is_complex())
    throw PluginError("[objective " + std::string(component.id()) +
                      "] value() must return one real number a stream, shape [" +
                      std::to_string(source.streams()) + "], got " + described(value) +
                      " (plugin " + component.plugin->path.string() + ")");
  const at::Tensor doubles = value.to(at::kCPU, at::kDouble).contiguous();
  const double* first = doubles.const_data_ptr<double>();
  return {first, first + doubles.numel()};
}

}  // namespace

std::uint32_t train(const Network& network, ExactWeights& weights, const Objective& objective,
                    const Component& component, const std::vector<Question>& examples,
                    const TrainerOptions& options, const OnStep& on_step) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  BatchOrder order(options.seed, static_cast<std::uint32_t>(examples.size()), options.batch_size);
  const std::uint32_t steps = options.schedule.steps;
  for (std::uint32_t i = options.first_step; i < steps; ++i) {
    Step step;
    for (const std::uint32_t e : order.batch(i)) step.batch.push_back(&examples[e]);
    step.targets = targets_of(step.batch);
    step.micro_batch = options.micro_batch ? options.micro_batch : step.batch.size();
    const double learning_rate = learning_rate_at(options.schedule, i);
    const SpsaStep estimate =
        spsa_step(weights, options.spsa, i, learning_rate, [&](ParameterSource& source) {
          return losses_of(network, source, objective, component, step);
        });
    if (!on_step({i + 1, learning_rate, step.batch.size(), estimate})) return i + 1;
  }
  return steps;
}

}  // namespace mezo
