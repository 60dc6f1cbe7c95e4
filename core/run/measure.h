#pragma once
// An evaluation as a run has it: behind a progress bar, cut short by a signal, its predictions in
// the run folder.

#include <string>

#include "core/answer/evaluate.h"
#include "core/run/datasets.h"
#include "core/run/run_folder.h"

namespace mezo {

// Cut short by a signal beyond the `known` ones. Throws RunError if scores are not numbers.
Evaluation measure(const LoadedModel& model, const Split& split, const std::string& title,
                   int known);

void write_predictions(RunFolder& folder, const Evaluation& evaluation, const Task& task);

}  // namespace mezo
