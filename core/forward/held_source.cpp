#include "core/forward/held_source.h"

#include <ATen/core/Tensor.h>

namespace mezo {

at::Tensor HeldSource::whole(Parameter p) {
  if (from_.stays(p)) return from_.whole(p);
  at::Tensor& own = held_[p.index];
  if (!own.defined()) own = from_.whole(p).clone();
  return own;
}

at::Tensor OneStream::own(const at::Tensor& of_all) const {
  return of_all.size(0) == 1 ? of_all : of_all.narrow(0, stream_, 1);
}

std::int64_t held_bytes(const ParameterSource& source, std::span<const ParameterSpec> specs) {
  std::int64_t elements = 0;
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (!source.stays({static_cast<int>(i)})) elements += specs[i].elements();
  return elements * static_cast<std::int64_t>(c10::elementSize(source.dtype()));
}

}  // namespace mezo
