#pragma once
// The operations on activations that read fp32 parameters, one vector a stream: norms. Gains stay
// fp32 however a forward computes, because a perturbation of 1e-3 is lost on a bf16 gain near 1; so
// each operation widens, works in fp32 and rounds once. Used by StreamOps. The plain version is
// ATen on any device; the CUDA library brings fused ones.

#include <ATen/core/Tensor.h>

#include "core/api.h"

namespace mezo {

// x [R, d] seen as [S, R / S, d], to meet vectors [S, d] of S streams; of x [R, H, d] a stream's
// heads lie together in the same way. S divides R.
MEZO_API at::Tensor by_stream(const at::Tensor& x, const at::Tensor& vectors);

// x [R, d] or [R, H, d] in any floating type, all rows of a stream together; gain and bias
// [S or 1, d] in fp32, where S divides R. Results have x's shape and type, and autograd sees them.
class MEZO_API ActivationKernels {
 public:
  virtual ~ActivationKernels();
  virtual at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias,
                                double epsilon) const;
  virtual at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) const;
};

MEZO_API const ActivationKernels& activation_kernels(bool cuda);

}  // namespace mezo
