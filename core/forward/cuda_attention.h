#pragma once
// The GPU's AttentionKernels; part of the CUDA library alone (core/machine/device.h loads it).

#include "core/forward/attention_kernels.h"

namespace mezo {

const AttentionKernels& cuda_attention_kernels();

}  // namespace mezo
