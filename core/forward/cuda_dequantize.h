#pragma once
// The GPU's DequantizeKernels; part of the CUDA library alone (core/machine/device.h loads it).

#include "core/forward/dequantize_kernels.h"

namespace mezo {

const DequantizeKernels& cuda_dequantize_kernels();

}  // namespace mezo
