#include "core/forward/activations.h"

#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/rsqrt.h>

#include "core/machine/device.h"

namespace mezo {

at::Tensor by_stream(const at::Tensor& x, const at::Tensor& vectors) {
  const std::int64_t streams = vectors.size(0), width = vectors.size(1);
  return x.reshape({streams, x.numel() / (streams * width), width});
}

ActivationKernels::~ActivationKernels() = default;

at::Tensor ActivationKernels::layer_norm(const at::Tensor& x, const at::Tensor& gain,
                                         const at::Tensor& bias, double epsilon) const {
  const auto [y, mean, rstd] =
      at::native_layer_norm(x.to(at::kFloat), {x.size(-1)}, {}, {}, epsilon);
  return by_stream(y, gain)
      .mul(gain.unsqueeze(1))
      .add_(bias.unsqueeze(1))
      .view(x.sizes())
      .to(x.scalar_type());
}

at::Tensor ActivationKernels::rms_norm(const at::Tensor& x, const at::Tensor& gain,
                                       double epsilon) const {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean({-1}, /*keepdim=*/true).add_(epsilon));
  return by_stream(wide.mul(scale), gain)
      .mul_(gain.unsqueeze(1))
      .view(x.sizes())
      .to(x.scalar_type());
}

const ActivationKernels& activation_kernels(bool cuda) {
  static const ActivationKernels plain;
  return cuda && cuda_kernels() ? *cuda_kernels()->activations : plain;
}

}  // namespace mezo
