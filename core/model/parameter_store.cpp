#include "core/model/parameter_store.h"

#include <ATen/ops/empty.h>

namespace mezo {

ParameterSource::~ParameterSource() = default;

ParameterStore::ParameterStore(std::span<const ParameterSpec> specs)
    : specs_(specs.begin(), specs.end()) {
  for (const ParameterSpec& s : specs_) tensors_.push_back(at::empty(s.shape, at::kFloat));
}

at::Tensor StoredSource::rows(Parameter p, const at::Tensor& entries) {
  return store_.tensor(p).index_select(0, entries).unsqueeze(0);
}

}  // namespace mezo
