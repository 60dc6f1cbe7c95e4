#pragma once
// The GPU's WeightKernels; part of the CUDA library alone (core/machine/device.h loads it).

#include <span>

#include "core/zo/kernel.h"

namespace mezo {

const WeightKernels& cuda_weight_kernels();

// Its parts. All launch on the current stream and return at once.
void launch_general(const WeightPass& pass);
bool launch_usual(const WeightPass& pass);  // false: the pass is none of the usual form
void launch_vectors(std::span<const WeightPass> passes);

}  // namespace mezo
