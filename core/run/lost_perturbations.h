#pragma once
// A run's warning, at its start, that the type it computes in loses perturbations of the size that
// it asks for (core/zo/slope.h); and its refusal where nothing is left of them.

#include <string>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/zo/slope.h"

namespace mezo {

// Nothing where every slope is within 2% of 1; otherwise one line without an end that names the
// tensors furthest off, and what helps.
MEZO_API std::string lost_perturbations(std::vector<TensorSlope> slopes, float epsilon,
                                        const std::string& dtype);

// Measures them, unless the run computes in fp32 with perturbations far above what that loses.
// Throws ConfigError where every matrix has lost more than half of its own.
std::string lost_perturbations(const LoadedModel& model, const ExactOptions& options,
                               float epsilon);

}  // namespace mezo
