#include "core/run/trainer.h"

#include <ATen/core/grad_mode.h>

#include <sstream>

#include "core/error.h"
#include "core/plugin/create.h"
#include "core/run/batch_order.h"
#include "core/run/scorer.h"

namespace mezo {

TrainerOptions trainer_options(const RunConfig& config) {
  TrainerOptions options;
  options.steps = static_cast<std::uint32_t>(config.trainer.integer("steps"));
  options.batch_size = static_cast<std::uint32_t>(config.trainer.integer("batch_size"));
  options.seed = static_cast<std::uint64_t>(config.trainer.integer("seed"));
  options.learning_rate = config.learning_rate();
  options.linear_decay = config.optimizer.text("schedule") == "linear";
  options.spsa = {static_cast<float>(config.epsilon()),
                  static_cast<int>(config.optimizer.integer("probes")),
                  config.optimizer.number("weight_decay")};
  return options;
}

double learning_rate_at(const TrainerOptions& options, std::uint32_t step) {
  if (!options.linear_decay) return options.learning_rate;
  return options.learning_rate * (static_cast<double>(options.steps - step) / options.steps);
}

namespace {

std::string described(const at::Tensor& value) {
  if (!value.defined()) return "no tensor";
  std::ostringstream text;
  text << "shape " << value.sizes() << " of " << value.scalar_type();
  return text.str();
}

// The objective at every stream of one batch.
std::vector<double> losses_of(const LoadedModel& model, ParameterSource& source,
                                const Objective& objective, const Component& component,
                                std::span<const EncodedExample* const> batch,
                                const Targets& targets) {
  const Outputs outputs = score(model, source, batch, Normalise::if_needed);
  const at::Tensor value = guard(
      component, [&] { return objective.value(outputs, targets); }, "computing value()");
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

std::uint32_t train(const LoadedModel& model, ExactWeights& weights, const Objective& objective,
                    const Component& component, const std::vector<EncodedExample>& examples,
                    const TrainerOptions& options, const OnStep& on_step) {
  const at::NoGradGuard no_grad;
  BatchOrder order(options.seed, static_cast<std::uint32_t>(examples.size()), options.batch_size);
  for (std::uint32_t step = 0; step < options.steps; ++step) {
    std::vector<const EncodedExample*> batch;
    for (const std::uint32_t i : order.batch(step)) batch.push_back(&examples[i]);
    const Targets targets = targets_of(batch);
    const double learning_rate = learning_rate_at(options, step);
    const SpsaStep estimate =
        spsa_step(weights, options.spsa, step, learning_rate, [&](ParameterSource& source) {
          return losses_of(model, source, objective, component, batch, targets);
        });
    if (!on_step({step + 1, learning_rate, batch.size(), estimate})) return step + 1;
  }
  return options.steps;
}

}  // namespace mezo
