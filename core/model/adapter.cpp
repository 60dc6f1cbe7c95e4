#include "core/model/adapter.h"

#include <stdexcept>

namespace mezo {

AdapterStart::~AdapterStart() = default;
Adapter::~Adapter() = default;

void Adapter::linear(ParameterSource&, const Linear&, const at::Tensor&, at::Tensor&) const {}

std::optional<KeysValues> Adapter::prefix(ParameterSource&, int) const { return {}; }

void Adapter::merge(Parameter, std::span<float>, const AdapterReader&) const {
  throw std::logic_error("[Adapter] merge() of an adapter that refuses it");
}

PeftFiles Adapter::peft_files(const AdapterReader&) const {
  throw std::logic_error("[Adapter] peft_files() of an adapter that refuses it");
}

}  // namespace mezo
