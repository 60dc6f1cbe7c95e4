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
// instead of eps^2. It keeps no state. The reported loss is the mean of all the losses evaluated,
// which is that at theta up to order eps^2; one-sided it is the loss at theta. A step of which some
// g_p, coefficient or decay is not finite changes nothing.

#include "core/zo/estimator.h"

namespace mezo {

struct SpsaOptions {
  float epsilon = 1e-3f;
  int probes = 1;
  double weight_decay = 0;
  bool one_sided = false;
  bool together = false;  // all streams of a step in one forward; else two at a time
  double clip = 0;        // |g| beyond it counts as it, in the update; 0: none
};

class MEZO_API Spsa : public Estimator {
 public:
  explicit Spsa(const SpsaOptions& options) : options_(options) {}

  std::vector<std::vector<Stream>> forwards(std::uint32_t step) const override;
  std::size_t scalars_a_step() const override { return static_cast<std::size_t>(options_.probes); }
  Observation observe(std::uint32_t step, std::span<const double> losses) const override;
  StepUpdate update(std::uint32_t step, double learning_rate,
                    std::span<const float> scalars) override;
  float epsilon() const override { return options_.epsilon; }

  const SpsaOptions& options() const { return options_; }

 private:
  SpsaOptions options_;
};

}  // namespace mezo
