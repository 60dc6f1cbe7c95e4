#pragma once
// The matrix product of a linear map. fp32 on the CPU goes to oneDNN, whose kernels use the widest
// vectors of any x86 processor; the BLAS that LibTorch's at::mm calls stays at half of their speed
// on some (measured in docs/performance.md). Where LibTorch was built without oneDNN, or the matrix
// is [in, out], it is at::mm.

#include <ATen/core/Tensor.h>

#include "core/model/declaration.h"

namespace mezo {

// What a product ends in: nothing, or max(0, each number). The numbers are those of two passes.
enum class AndThen { nothing, relu };

// x [n, in] and a matrix in the given layout -> [n, out]; bias [out], of x's type, may be
// undefined.
at::Tensor multiply(const at::Tensor& x, const at::Tensor& matrix, Layout layout,
                    const at::Tensor& bias, AndThen then = AndThen::nothing);

// The same into out [n, out], which must be contiguous.
void multiply_into(at::Tensor out, const at::Tensor& x, const at::Tensor& matrix, Layout layout,
                   const at::Tensor& bias, AndThen then = AndThen::nothing);

}  // namespace mezo
