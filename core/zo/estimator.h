#pragma once
// How a zeroth-order step is made, without the loop around it and the weights below it. An
// estimator says which perturbed copies of theta the batch is evaluated at, which numbers of their
// losses are worth keeping, and what update follows from those numbers. Training and replay feed it
// alike: the kept numbers (the scalars) are all that a trajectory holds of a step, so what an
// estimator knows of the past must follow from them. It may keep state: steps come in order, from
// the first step of a segment of the trajectory, and a replay gives it the same scalars as training
// did.
//
// To add one: implement this interface and give it a row in core/zo/estimators.cpp; every estimator
// passes tests/zo/test_estimators.cpp.

#include <cstdint>
#include <span>
#include <vector>

#include "core/api.h"
#include "core/zo/kernel.h"

namespace mezo {

// What the losses of a step say.
struct Observation {
  double loss = 0;             // to report: at theta, or close to it
  std::vector<float> scalars;  // to record: scalars_a_step() of them
};

// What recorded scalars do to the weights.
struct StepUpdate {
  bool applied = true;      // false: theta stays as it was (a scalar was not finite)
  std::vector<Term> terms;  // at most most_terms; theta moves by minus their sum
  float decay = 0;          // of matrices and embeddings
};

class MEZO_API Estimator {
 public:
  virtual ~Estimator();

  // The streams of each forward of a step, in order; at most most_streams a forward.
  virtual std::vector<std::vector<Stream>> forwards(std::uint32_t step) const = 0;

  // The same for every step: a trajectory's blocks have no other layout.
  virtual std::size_t scalars_a_step() const = 0;

  // From the losses at all streams, forward by forward. A pure function.
  virtual Observation observe(std::uint32_t step, std::span<const double> losses) const = 0;

  // Called once a step, in training after observe(), in a replay alone. Steps ascend by one.
  virtual StepUpdate update(std::uint32_t step, double learning_rate,
                            std::span<const float> scalars) = 0;

  // Of the scalars, those that are projected gradients, for people to look at: the first so many.
  virtual std::size_t projected_gradients() const { return scalars_a_step(); }

  // The size of the perturbations, which a run warns of where a type cannot hold them.
  virtual float epsilon() const = 0;
};

}  // namespace mezo
