#pragma once
// The estimator at the heart of MeZO: simultaneous perturbation stochastic approximation (Spall
// 1992; Malladi et al. 2023, algorithms 1 and 2). For each probe p it evaluates the same batch at
// theta + eps z_p and theta - eps z_p in one forward and keeps only the projected gradient
//
//   g_p = (loss(theta + eps z_p) - loss(theta - eps z_p)) / (2 eps)
//
// after which theta moves by -learning_rate * (1/n) * sum over p of g_p z_p, and by -learning_rate
// * weight_decay * theta.

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/api.h"
#include "core/zo/exact_weights.h"

namespace mezo {

struct SpsaOptions {
  float epsilon = 1e-3f;
  int probes = 1;
  double weight_decay = 0;
};

struct SpsaStep {
  double loss = 0;  // mean of all the losses evaluated: at theta up to order eps^2
  std::vector<float> projected_gradients;  // one a probe
  bool applied = true;  // false: a projected gradient, or what it would add, was not finite and
                        // theta stays as it was
};

// The two losses of one batch, at stream 0 and stream 1 of what is given.
using TwoLosses = std::function<std::array<double, 2>(ParameterSource&)>;

// One step: evaluates every probe, then hands the update to `weights`.
MEZO_API SpsaStep spsa_step(ExactWeights& weights, const SpsaOptions& options, std::uint32_t step,
                            double learning_rate, const TwoLosses& losses);

}  // namespace mezo
