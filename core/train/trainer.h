#pragma once
// The training loop, and nothing else: batches in a pinned order, one step each, and whoever
// listens to them (logging, evaluation, the trajectory, guards).

#include <cstdint>
#include <span>
#include <vector>

#include "core/train/step_maker.h"
#include "core/zo/schedule.h"

namespace mezo {

struct TrainerOptions {
  std::uint32_t first_step = 0;  // those before it were taken earlier: a resumed run
  std::uint32_t batch_size = 16;
  std::uint64_t seed = 0;
  Schedule schedule;  // and with it the number of steps
};

struct StepReport {
  std::uint32_t step = 0;  // how many have been done: from 1
  double learning_rate = 0;
  std::size_t examples = 0;
  StepOutcome outcome;
};

// Something that hangs on each step. Weights may lag behind by the updates that wait:
// ExactWeights::apply_pending() before reading them.
class MEZO_API StepListener {
 public:
  virtual ~StepListener();
  virtual bool after(const StepReport& report) = 0;  // false ends the training
};

// Each step is told to the listeners in their order; the first that answers false ends the
// training, once all were told. Returns how many steps were done, the earlier ones included.
MEZO_API std::uint32_t train(StepMaker& maker, const std::vector<Question>& examples,
                             const TrainerOptions& options,
                             std::span<StepListener* const> listeners);

}  // namespace mezo
