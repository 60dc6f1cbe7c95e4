#pragma once
// The model of a run: loaded as its configuration says, with what the user should know of it
// printed; and what the configuration left open, as this model resolves it.

#include "core/model/attach.h"
#include "core/model/load_model.h"
#include "core/run/run_config.h"

namespace mezo {

// A base that does not train in the run's mode stays as filed, also where an evaluation needs no
// mode.
LoadedModel load_for_run(const RunConfig& config, const ChosenPeft& mode,
                         const CheckedModel& checked, bool training);

ResolvedModel resolved_model(const RunConfig& config, const LoadedModel& model);

}  // namespace mezo
