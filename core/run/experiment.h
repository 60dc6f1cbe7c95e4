#pragma once
// The three things that the command line does with a configuration: train and evaluate, only
// evaluate, only check. Progress goes to stderr, results to stdout and into the run folder.

#include <string>

#include "core/api.h"
#include "core/run/run_config.h"
#include "core/run/run_folder.h"

namespace mezo {

struct RunOptions {
  Earlier earlier = Earlier::keep;  // what becomes of a run that is in the output folder
};

// Evaluates, trains, evaluates again, and writes the run folder; or goes on with the run that is in
// it. Returns false if a signal ended it early; what was learned until then has been evaluated and
// kept. Throws RunError when the loss stays non-finite, and what check_resumption() throws.
MEZO_API bool run_experiment(const RunConfig& config, const RunOptions& options);

// Evaluates the model as it is and writes predictions.jsonl and result.json.
MEZO_API bool evaluate_experiment(const RunConfig& config, const RunOptions& options);

// Checks everything that can be checked without reading weights: the model's tensors and tokenizer,
// every example that is used.
MEZO_API void validate_experiment(const RunConfig& config);

}  // namespace mezo
