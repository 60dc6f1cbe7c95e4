#pragma once
// A run that trains no weight of the model: a linear probe (core/train/linear_probe.h) on its
// hidden rows, measured as every run is.

#include "core/run/first_order_run.h"

namespace mezo {

// Before anything is loaded. Throws ConfigError for a task whose options are not the same labels
// for every example, and for a PEFT mode, which a probe has no use for.
void require_probe(const RunConfig& config);

// Throws ConfigError where options are not predicted by one row, or fewer than two labels occur;
// RunError where a signal came before the probe was there.
Trained train_linear_probe(const BaselineParts& parts);

}  // namespace mezo
