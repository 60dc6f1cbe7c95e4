#pragma once
// The training loop of MeZO, and nothing else: batches in a pinned order, one estimate a step, an
// update that is applied when weights are next read. What watches it (logging, evaluation,
// progress) hangs on the callback.

#include <cstdint>
#include <functional>
#include <vector>

#include "core/forward/network.h"
#include "core/run/run_config.h"
#include "core/run/schedule.h"
#include "core/task/question.h"
#include "core/zo/exact_weights.h"
#include "core/zo/spsa.h"

namespace mezo {

struct TrainerOptions {
  std::uint32_t first_step = 0;  // those before it were taken earlier: a resumed run
  std::uint32_t batch_size = 16;
  std::uint32_t micro_batch = 0;  // examples a forward; 0: the whole batch
  std::uint64_t seed = 0;
  Schedule schedule;  // and with it the number of steps
  SpsaOptions spsa;
};

MEZO_API TrainerOptions trainer_options(const RunConfig& config);

struct StepReport {
  std::uint32_t step = 0;  // how many have been done: from 1
  double learning_rate = 0;
  std::size_t examples = 0;
  SpsaStep estimate;
};

// Called after each step; returning false ends the training. The weights may lag behind by the
// updates that wait: settle() them before reading.
using OnStep = std::function<bool(const StepReport&)>;

// Trains what `weights` hold. Returns how many steps were done, the earlier ones
// included.
MEZO_API std::uint32_t train(const Network& network, ExactWeights& weights,
                             const Objective& objective, const Component& component,
                             const std::vector<Question>& examples, const TrainerOptions& options,
                             const OnStep& on_step);

}  // namespace mezo
