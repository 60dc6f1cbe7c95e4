#pragma once
// The model of a run: loaded as its configuration says, with what the user should know of it
// said; and what the configuration left open, as this model resolves it.

#include "core/checkpoint/load_model.h"
#include "core/console/console.h"
#include "core/settings/resolved.h"
#include "core/task/question.h"

namespace mezo {

// Everything but the numbers, under `mode`: the run's own, or none for an evaluation that needs
// none. Says what a user should know of the files.
PreparedModel prepare_for_run(const RunConfig& config, const ChosenPeft& mode, Console& console);

// `frozen`: no matrix trains under the run's own mode, which an evaluation need not have been
// prepared under; the base then stays as filed. `training` decides what is said of one that was
// widened. `first`: what will be asked first (core/answer/first_use.h).
LoadedModel load_for_run(const RunConfig& config, PreparedModel prepared, bool frozen,
                         bool training, std::span<const Question> first, Console& console);

// What a user should know of the files.
void say_notes(const PreparedModel& model, Console& console);

// Behind a progress bar, if it takes long.
LoadedModel load_with_progress(PreparedModel prepared, const ModelPlacement& placement,
                               std::span<const Question> first, Console& console);

ResolvedModel resolved_model(const LoadedModel& model);

}  // namespace mezo
