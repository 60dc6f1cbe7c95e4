#pragma once
// The estimator at the heart of MeZO: simultaneous perturbation stochastic approximation (Spall
// 1992; Malladi et al. 2023, algorithms 1 and 2). For each probe p it evaluates the same batch at
// theta + eps z_p and theta - eps z_p and keeps only the projected gradient
//
//   g_p = (loss(theta + eps z_p) - loss(theta - eps z_p)) / (2 eps)
//
// after which theta moves by -learning_rate * (1/n) * sum over p of g_p z_p, and by -learning_rate
// * weight_decay * theta. One-sided, g_p = (loss(theta + eps z_p) - loss(theta)) / eps, with one
// loss(theta) for all probes of a step: n + 1 evaluations instead of 2n, and an error of order eps
// instead of eps^2.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/api.h"
#include "core/zo/exact_weights.h"

namespace mezo {

struct SpsaOptions {
  float epsilon = 1e-3f;
  int probes = 1;
  double weight_decay = 0;
  bool one_sided = false;
  bool together = false;  // all streams of a step in one forward; else two at a time
  double clip = 0;        // |g| beyond it counts as it; 0: none
};

struct SpsaStep {
  double loss = 0;  // mean of all the losses evaluated: at theta up to order eps^2 (one-sided: the
                    // loss at theta)
  std::vector<float> projected_gradients;  // one a probe, not clipped
  bool applied = true;  // false: a projected gradient, or what it would add, was not finite and
                        // theta stays as it was
};

// The losses of one batch, at each stream of what is given.
using Losses = std::function<std::vector<double>(ParameterSource&)>;

// The streams of each forward of a step, in order.
MEZO_API std::vector<std::vector<Stream>> forwards_of(const SpsaOptions& options);

// What projected gradients do to the weights: the one place where training and replay learn it.
struct StepUpdate {
  bool applied = true;              // false: nothing is to be pushed
  std::vector<float> coefficients;  // one a probe
  float decay = 0;
};
MEZO_API StepUpdate update_of(const SpsaOptions& options, double learning_rate,
                              std::span<const float> projected_gradients);

// One step: evaluates every probe, then hands the update to `weights`.
MEZO_API SpsaStep spsa_step(ExactWeights& weights, const SpsaOptions& options, std::uint32_t step,
                            double learning_rate, const Losses& losses);

}  // namespace mezo
