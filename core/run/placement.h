#pragma once
// Where a run's model lies and in which types, from the settings model.device, model.dtype and
// optimizer.storage; and what becomes of what training with them reads and writes.

#include <span>
#include <string>
#include <vector>

#include "core/model/load_model.h"
#include "core/run/run_config.h"
#include "core/zo/exact_weights.h"

namespace mezo {

// Opens the device. Throws RunError where it cannot be used. `frozen`: no matrix trains, so that
// `auto` leaves each as its file has it; a resolved configuration says that itself (`file`).
MEZO_API ModelPlacement placement_of(const RunConfig& config, bool frozen = false);

// Whether none of the parameters that train is a matrix or an embedding.
MEZO_API bool is_frozen(std::span<const ParameterSpec> parameters,
                        const std::vector<bool>& trained);

// Throws ConfigError where optimizer.storage would keep a matrix quantised that trains.
MEZO_API void require_trainable(const RunConfig& config, const CheckedModel& model,
                                const std::vector<bool>& trained);

// What quantised weights cost that are kept in a wider type, and why they are, for a user: "the
// file's Q4_1 weights (0.08 GB) are kept as float32 (0.54 GB), since they train". Empty where none
// is.
MEZO_API std::string widening_note(const RunConfig& config, const LoadedModel& model,
                                   bool training);

MEZO_API ExactOptions exact_options(const RunConfig& config, const LoadedModel& model);

// "float16", as in a run's YAML.
MEZO_API const char* name_of_dtype(at::ScalarType dtype);

}  // namespace mezo
