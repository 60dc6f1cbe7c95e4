#pragma once
// The model's numbers, once: a tensor for each declared parameter, in its storage type (fp32).
// Nothing but an update writes here (core/zo/exact_weights.h), so what an evaluation reads is
// always theta itself.

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/model/declaration.h"
#include "core/model/parameter_source.h"

namespace mezo {

class MEZO_API ParameterStore {
 public:
  // Uninitialised fp32 tensors of the declared shapes.
  explicit ParameterStore(std::span<const ParameterSpec> specs);

  std::span<const ParameterSpec> specs() const { return specs_; }
  const ParameterSpec& spec(Parameter p) const {
    return specs_.at(static_cast<std::size_t>(p.index));
  }
  at::Tensor& tensor(Parameter p) { return tensors_.at(static_cast<std::size_t>(p.index)); }
  const at::Tensor& tensor(Parameter p) const {
    return tensors_.at(static_cast<std::size_t>(p.index));
  }
  float* data(Parameter p) { return tensor(p).mutable_data_ptr<float>(); }

 private:
  std::vector<ParameterSpec> specs_;
  std::vector<at::Tensor> tensors_;
};

// The stored weights as they are: one stream.
class MEZO_API StoredSource : public ParameterSource {
 public:
  explicit StoredSource(const ParameterStore& store) : store_(store) {}
  int streams() const override { return 1; }
  at::Tensor whole(Parameter p) override { return store_.tensor(p).unsqueeze(0); }
  at::Tensor rows(Parameter p, const at::Tensor& entries) override;

 private:
  const ParameterStore& store_;
};

}  // namespace mezo
