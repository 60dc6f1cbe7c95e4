#pragma once
// The stored weights as autograd wants them: what trains are leaves that gather gradients and lie
// where the store has them, so that what is written to a leaf is what an evaluation reads.
//
// Autograd keeps a matrix until the backward pass, so nothing here lies in scratch: what the
// forward computes in another type than the store's is converted once a forward where it trains,
// and held for good where it does not (core/forward/held_source.h).

#include <map>
#include <vector>

#include "core/forward/held_source.h"
#include "core/forward/parameter_store.h"
#include "core/zo/stored_source.h"

namespace mezo {

class MEZO_API LeafSource : public ParameterSource {
 public:
  // What trains must be stored as float32: std::logic_error. Keeps a reference.
  LeafSource(ParameterStore& store, const std::vector<bool>& trained, at::ScalarType dtype);

  int streams() const override { return 1; }
  at::ScalarType dtype() const override { return stored_.dtype(); }
  at::Device device() const override { return stored_.device(); }
  at::Tensor whole(Parameter p) override;
  bool stays(Parameter) const override { return true; }
  at::Tensor addend(Parameter p) override;
  at::Tensor rows(Parameter p, const at::Tensor& entries) override;

  // Undefined: it does not train.
  const at::Tensor& leaf(Parameter p) const {
    return leaves_.at(static_cast<std::size_t>(p.index));
  }

  // What was converted for a forward, once its backward pass is over.
  void end_forward() { converted_.clear(); }

 private:
  at::Tensor converted(Parameter p);

  StoredSource stored_;
  HeldSource held_;
  std::vector<Role> roles_;
  std::vector<at::Tensor> leaves_;
  std::map<int, at::Tensor> converted_;
};

}  // namespace mezo
