#pragma once
// The GPU's DequantizeKernels; part of the CUDA library alone (core/run/device.h loads it).

#include "core/model/dequantize_kernels.h"

namespace mezo {

const DequantizeKernels& cuda_dequantize_kernels();

}  // namespace mezo
