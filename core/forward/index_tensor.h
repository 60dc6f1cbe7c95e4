#pragma once
// Host numbers as an int64 tensor on a device: row and token indices of a batch.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "core/api.h"

namespace mezo {

// [values.size()] int64. To a GPU the copy does not wait for what runs there.
MEZO_API at::Tensor index_tensor(std::span<const std::int64_t> values,
                                 at::Device device = at::kCPU);

}  // namespace mezo
