#pragma once
// The stored weights as they are, in the type that a forward computes in: what evaluation reads,
// and what training reads of the parameters that do not train. A matrix whose storage already is
// that type is given as it lies; others, quantised ones among them, are converted into scratch of
// one matrix that the next call reuses.

#include <vector>

#include "core/forward/parameter_store.h"
#include "core/model/parameter_source.h"
#include "core/zo/kernel.h"

namespace mezo {

class MEZO_API StoredSource : public ParameterSource {
 public:
  explicit StoredSource(const ParameterStore& store, at::ScalarType dtype = at::kFloat);

  int streams() const override { return 1; }
  at::ScalarType dtype() const override { return dtype_; }
  at::Device device() const override { return store_.device(); }
  at::Tensor whole(Parameter p) override;
  bool stays(Parameter p) const override;
  // Converted once, as adapters are: a source is for weights that do not change while it lives.
  at::Tensor addend(Parameter p) override;
  at::Tensor rows(Parameter p, const at::Tensor& entries) override;

 private:
  at::Tensor kept(Parameter p);
  // The parameter, or these of its rows, into `out`.
  void convert(Parameter p, const at::Tensor* entries, at::Tensor& out) const;

  const ParameterStore& store_;
  at::ScalarType dtype_;
  at::Tensor scratch_;
  Parameter in_scratch_;          // the matrix that whole() converted last
  std::vector<at::Tensor> kept_;  // in dtype_: of vectors and adapters, once asked for
};

// A pass over a stored parameter that neither updates nor perturbs yet. std::logic_error where it
// is quantised: only what can be written has passes.
MEZO_API WeightPass pass_over(const ParameterStore& store, Parameter p);

}  // namespace mezo
