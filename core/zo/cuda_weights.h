#pragma once
// The GPU's WeightKernels; part of the CUDA library alone (core/run/device.h loads it).

#include "core/zo/kernel.h"

namespace mezo {

const WeightKernels& cuda_weight_kernels();

}  // namespace mezo
