#include "core/machine/pinned.h"

#include <ATen/ops/empty.h>

namespace mezo {

at::Tensor pinned_like(const at::Tensor& on_gpu) {
  return at::empty(on_gpu.sizes(),
                   at::TensorOptions(at::kCPU).dtype(on_gpu.scalar_type()).pinned_memory(true));
}

}  // namespace mezo
