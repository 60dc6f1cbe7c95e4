#pragma once
// Weights that no perturbation ever touches. theta is stored once and only an update changes it;
// what the streams of a training forward read, theta + eps z and theta - eps z, is written into
// reused scratch by the same pass over the stored matrix that applies the updates it has missed. So
// there is nothing to restore and nothing drifts, and with coefficients of 0 no byte is written.
//
// Every tensor knows which updates it has seen (embeddings know it for each row), so bringing it up
// to date is idempotent: tied weights, repeated calls or a forward that throws cannot apply an
// update twice. Embedding rows that a step did not touch catch up later: when they are touched, at
// apply_pending(), or when too many updates wait.
//
// Memory beyond the weights: scratch of a copy of the largest matrix for each stream (two, unless
// more probes are evaluated in one forward), as many of each vector and of a PEFT mode's tensors,
// and of the embedding rows that a batch asks for (of the whole vocabulary where an option has
// several tokens). Malladi et al. 2023, algorithm 1, with perturbed copies in place of in-place
// perturbation.

#include <cstdint>
#include <vector>

#include "core/forward/parameter_store.h"
#include "core/model/parameter_source.h"
#include "core/zo/kernel.h"
#include "core/zo/stored_source.h"

namespace mezo {

struct ExactOptions {
  std::uint64_t seed = 0;
  Distribution distribution = Distribution::gaussian;
  at::ScalarType dtype = at::kFloat;  // that streams read matrices in
};

class MEZO_API ExactWeights : public ParameterSource {
 public:
  // trained[i]: whether parameter i takes part; std::logic_error for a quantised one, which no step
  // can be added to. Keeps a reference to the store.
  ExactWeights(ParameterStore& store, std::vector<bool> trained, const ExactOptions& options);

  // What whole() and rows() give from now on: a copy for each stream. At most most_streams.
  void perturb(std::uint32_t step, std::vector<Stream> streams);

  // Adds a step's update; it is applied where and when weights are next read. `decay` goes to
  // matrices and embeddings only: biases and norms are never decayed. Steps must come in ascending
  // order. At most most_terms terms: std::logic_error.
  void push(std::uint32_t step, std::vector<Term> terms, float decay);

  // Brings every stored weight up to date.
  void apply_pending();

  int streams() const override { return static_cast<int>(streams_.size()); }
  at::ScalarType dtype() const override { return options_.dtype; }
  at::Device device() const override { return store_.device(); }
  at::Tensor whole(Parameter) override;
  bool stays(Parameter) const override;
  at::Tensor addend(Parameter) override;
  at::Tensor rows(Parameter, const at::Tensor& entries) override;

  std::int64_t scratch_bytes() const;  // that is held now

 private:
  struct Step {
    std::uint32_t step;
    std::vector<Term> terms;
    float decay;
  };
  struct Tensor {
    Parameter parameter;
    PhiloxKey key;
    bool trained = false;
    bool decays = false;
    std::int32_t seen = 0;  // how many of waiting_ have been applied
    at::Tensor unit_seen;   // the same for each row of an embedding: [entries] int32
  };
  // What a forward reads of a vector or of an adapter's tensor: kept from when it is first asked
  // for until the streams or the weights change.
  struct VectorCopy {
    bool wanted = false;  // by an earlier forward: made with all others that are
    at::Tensor copy;
  };
  at::Tensor vector(Tensor&, std::vector<VectorCopy>& copies, at::ScalarType type);
  void make_wanted(std::vector<VectorCopy>& copies, at::ScalarType type);
  WeightPass pass_over_vector(Tensor&, at::ScalarType type, at::Tensor& out);
  void forget_copies();
  WeightPass pass_over_trained(const Tensor&);
  void run(Tensor&, const WeightPass&);
  at::Tensor scratch(const ParameterSpec&);
  std::vector<std::int64_t> shape_of_streams(const ParameterSpec&) const;
  void read_streams(WeightPass&, at::Tensor& out) const;

  ParameterStore& store_;
  ExactOptions options_;
  StoredSource frozen_;  // parameters that are not trained
  std::vector<Tensor> tensors_;
  std::vector<Step> waiting_;
  std::vector<Update> decayed_, plain_;  // waiting_, for tensors that decay and those that do not
  std::int64_t last_step_ = -1;          // pushed so far
  std::uint32_t step_ = 0;
  std::vector<Stream> streams_;
  std::vector<VectorCopy> wholes_, addends_, adapters_;  // one a parameter
  // What whole() gave last: still there if it is asked for again, until another matrix, a step or
  // other streams come.
  struct {
    Parameter parameter;
    at::Tensor copies;
  } last_matrix_;
  at::Tensor scratch_;  // [streams * elements of the largest matrix], made at first use
  std::int64_t largest_matrix_ = 0;
};

}  // namespace mezo
