#include "core/train/trainer.h"

#include "core/train/batch_order.h"

namespace mezo {

StepListener::~StepListener() = default;

std::uint32_t train(StepMaker& maker, const std::vector<Question>& examples,
                    const TrainerOptions& options, std::span<StepListener* const> listeners) {
  BatchOrder order(options.seed, static_cast<std::uint32_t>(examples.size()), options.batch_size);
  const std::uint32_t steps = options.schedule.steps;
  for (std::uint32_t i = options.first_step; i < steps; ++i) {
    std::vector<const Question*> batch;
    for (const std::uint32_t e : order.batch(i)) batch.push_back(&examples[e]);
    const double learning_rate = learning_rate_at(options.schedule, i);
    const StepReport report{i + 1, learning_rate, batch.size(),
                            maker.step(i, learning_rate, batch)};
    bool go_on = true;
    for (StepListener* listener : listeners) go_on = listener->after(report) && go_on;
    if (!go_on) return i + 1;
  }
  return steps;
}

}  // namespace mezo
