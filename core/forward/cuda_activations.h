#pragma once
// The GPU's ActivationKernels; part of the CUDA library alone (core/machine/device.h loads it).

#include "core/forward/activations.h"

namespace mezo {

const ActivationKernels& cuda_activation_kernels();

}  // namespace mezo
