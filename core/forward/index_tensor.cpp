#include "core/forward/index_tensor.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace mezo {

at::Tensor index_tensor(std::span<const std::int64_t> values, at::Device device) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), t.mutable_data_ptr<std::int64_t>());
  return device.is_cpu() ? t : t.to(device, at::kLong, /*non_blocking=*/true);
}

}  // namespace mezo
