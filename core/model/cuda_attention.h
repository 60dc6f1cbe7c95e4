#pragma once
// The GPU's AttentionKernels; part of the CUDA library alone (core/run/device.h loads it).

#include "core/model/attention_kernels.h"

namespace mezo {

const AttentionKernels& cuda_attention_kernels();

}  // namespace mezo
