#pragma once
// Weights that no perturbation ever touches. theta is stored once and only an update changes it;
// what a training forward reads, theta + eps z and theta - eps z, is written into reused scratch by
// the same pass over the stored matrix that applies the updates it has missed. So there is nothing
// to restore and nothing drifts, and with coefficients of 0 no byte is written.
//
// Every tensor knows which updates it has seen (embeddings know it for each row), so bringing it up
// to date is idempotent: tied weights, repeated calls or a forward that throws cannot apply an
// update twice. Embedding rows that a step did not touch catch up later: when they are touched, at
// settle(), or when too many updates wait.
//
// Memory beyond the weights: scratch of two of the largest matrix, two of each vector, and two of
// the embedding rows that a batch asks for (of the whole vocabulary where an option has several
// tokens). Malladi et al. 2023, algorithm 1, with perturbed copies in place of in-place
// perturbation.

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/parameter_source.h"
#include "core/model/parameter_store.h"
#include "core/zo/kernel.h"

namespace mezo {

class MEZO_API ExactWeights : public ParameterSource {
 public:
  // trained[i]: whether parameter i takes part. Keeps a reference to the store.
  ExactWeights(ParameterStore& store, std::vector<bool> trained, std::uint64_t seed);

  // Which probe whole() and rows() perturb by from now on.
  void perturb(const Probe& probe) { probe_ = probe; }

  // Adds a step's update; it is applied where and when weights are next read. `decay` goes to
  // matrices and embeddings only: biases and norms are never decayed. Steps must come in ascending
  // order.
  void push(std::uint32_t step, std::vector<float> coefficients, float decay);

  // Brings every stored weight up to date.
  void settle();

  // theta + eps z as stream 0, theta - eps z as stream 1; parameters that are not trained are
  // shared.
  int streams() const override { return 2; }
  at::Tensor whole(Parameter) override;
  at::Tensor rows(Parameter, const at::Tensor& entries) override;

 private:
  struct Step {
    std::uint32_t step;
    std::vector<float> coefficients;
    float decay;
  };
  struct Tensor {
    Parameter parameter;
    PhiloxKey key;
    bool trained = false;
    bool decays = false;
    std::int64_t width =
        1;  // elements that share one count of seen updates: a row, or the whole tensor
    std::vector<std::uint32_t> seen;  // how many of waiting_ each of those has had applied
    float* data = nullptr;
  };
  std::vector<Update> missed(const Tensor&, std::uint32_t seen) const;
  void pass(Tensor&, const std::int64_t* units, std::int64_t count, float* plus, float* minus);
  at::Tensor scratch(const ParameterSpec&);

  ParameterStore& store_;
  std::vector<Tensor> tensors_;
  std::vector<Step> waiting_;
  std::int64_t last_step_ = -1;  // pushed so far
  Probe probe_;
  at::Tensor scratch_;  // [2 * elements of the largest matrix], made at first use
  std::int64_t scratch_elements_ = 0;
};

}  // namespace mezo
