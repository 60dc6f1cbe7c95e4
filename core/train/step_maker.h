#pragma once
// Whatever can make a training step of a batch. The loop (trainer.h) knows no more of it, so that a
// zeroth-order step (zero_order.h) and one of another kind train alike.

#include <cstdint>
#include <span>
#include <vector>

#include "core/api.h"
#include "core/task/question.h"

namespace mezo {

struct StepOutcome {
  double loss = 0;
  std::vector<float> scalars;           // for the trajectory, if it keeps any
  std::size_t projected_gradients = 0;  // how many of them, the first, are such
  bool applied = true;                  // false: the weights stay as they were
};

class MEZO_API StepMaker {
 public:
  virtual ~StepMaker();

  // Steps are counted from 0 and come in order. Weights may lag behind by updates that wait.
  virtual StepOutcome step(std::uint32_t step, double learning_rate,
                           std::span<const Question* const> batch) = 0;
};

}  // namespace mezo
