#pragma once
// Host memory that a GPU copies from while the host goes on. LibTorch keeps what was freed for the
// next one of about that size, and does not give it away before the copy is done.

#include <ATen/core/Tensor.h>

#include "core/api.h"

namespace mezo {

// An uninitialised tensor of the host with the shape and type of `on_gpu`, for
// on_gpu.copy_(…, non_blocking).
MEZO_API at::Tensor pinned_like(const at::Tensor& on_gpu);

}  // namespace mezo
