#pragma once
// What a training cost, apart from the machine that it ran on.

#include <cstdint>
#include <optional>

#include "core/run/resume.h"
#include "core/settings/run_settings.h"
#include "core/zo/estimators.h"

namespace mezo {

// Batches that the first `steps` steps sent through the model, once for each copy of its weights:
// an estimator's streams, those of earlier segments by the settings that they were taken with.
// Evaluations are not counted.
std::uint64_t forward_passes(const OptimizerSettings& now, const EstimatorContext& context,
                             std::uint32_t steps, const std::optional<Resumption>& resumption);

}  // namespace mezo
