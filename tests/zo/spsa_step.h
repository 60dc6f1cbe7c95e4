#pragma once
// A step of SPSA with these options, for tests that say so in one line.

#include "core/zo/spsa.h"
#include "core/zo/step.h"
#include "kernel_cases.h"

namespace mezo {

inline StepResult spsa_step(ExactWeights& weights, const SpsaOptions& options, std::uint32_t step,
                            double learning_rate, const Losses& losses) {
  Spsa spsa(options);
  return take_step(weights, spsa, step, learning_rate, losses);
}

}  // namespace mezo
