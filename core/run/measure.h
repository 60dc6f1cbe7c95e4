#pragma once
// An evaluation as a run has it: behind a progress bar, cut short by a signal, its predictions in
// the run folder.

#include <string>

#include "core/answer/evaluate.h"
#include "core/console/console.h"
#include "core/record/run_folder.h"
#include "core/run/datasets.h"

namespace mezo {

// What a split is measured by, with its right answers' cross-entropy where the objective is of
// them.
Evaluation evaluate_split(const LoadedModel& model, const Split& split,
                          const EvaluationProgress& progress = {});

// Cut short by a signal beyond the `known` ones. Throws RunError if scores are not numbers.
Evaluation measure(const LoadedModel& model, const Split& split, const std::string& title,
                   int known, Console& console);

void write_predictions(RunFolder& folder, const Evaluation& evaluation, const Task& task);

}  // namespace mezo
