#pragma once
// Where a run's model lies and in which types, from the settings model.device, model.dtype and
// optimizer.storage; and what becomes of what training with them reads and writes.

#include <string>

#include "core/checkpoint/load_model.h"
#include "core/settings/run_config.h"
#include "core/zo/exact_weights.h"

namespace mezo {

// Opens the device. Throws RunError where it cannot be used.
MEZO_API ModelPlacement placement_of(const ModelSettings& model, const StorageSettings& storage);

// Throws ConfigError where optimizer.storage would keep a matrix quantised that trains.
MEZO_API void require_trainable(const RunConfig& config, const PreparedModel& model);

// What quantised weights cost that are kept in a wider type, and why they are, for a user: "the
// file's Q4_1 weights (0.08 GB) are kept as float32 (0.54 GB), since they train". Empty where none
// is.
MEZO_API std::string widening_note(const RunConfig& config, const LoadedModel& model,
                                   bool training);

// Of a run whose forwards compute in `dtype`.
MEZO_API ExactOptions exact_options(const OptimizerSettings& optimizer,
                                    const TrainerSettings& trainer, at::ScalarType dtype);

}  // namespace mezo
