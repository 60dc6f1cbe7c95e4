#pragma once
// The GPU's ActivationKernels; part of the CUDA library alone (core/run/device.h loads it).

#include "core/model/activations.h"

namespace mezo {

const ActivationKernels& cuda_activation_kernels();

}  // namespace mezo
