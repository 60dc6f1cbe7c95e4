#pragma once
// The model of a run: loaded as its configuration says, with what the user should know of it
// printed; and what the configuration left open, as this model resolves it.

#include "core/checkpoint/load_model.h"
#include "core/model/peft.h"
#include "core/run/run_config.h"

namespace mezo {

// `mode` is what is attached; `checked` is the model under the run's own mode, which differs where
// an evaluation needs none: a base that does not train in it stays as filed all the same.
// `training` only decides what is said of a base that was widened.
LoadedModel load_for_run(const RunConfig& config, const ChosenPeft& mode,
                         const CheckedModel& checked, bool training);

ResolvedModel resolved_model(const RunConfig& config, const LoadedModel& model);

}  // namespace mezo
