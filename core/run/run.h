#pragma once
// What the command line does with a configuration: train and evaluate, or only check (eval.h
// only evaluates). A run is a function of its configuration: it says what goes on through the
// console that it is given, leaves a run folder and returns what is in its result.json.

#include <nlohmann/json.hpp>
#include <string>

#include "core/api.h"
#include "core/console/console.h"
#include "core/record/run_folder.h"
#include "core/settings/run_config.h"

namespace mezo {

struct MEZO_API RunResult {
  std::string folder;
  bool whole = true;              // false: a signal ended it early; what was learned is kept
  nlohmann::ordered_json values;  // as result.json has them
};

// Evaluates, trains, evaluates again, and writes the run folder; or goes on with the run that is in
// it. A finished run of the same configuration is known before anything is loaded, with
// Earlier::resume, and returned as it is. Throws RunError when the loss stays non-finite, and what
// check_resumption() throws.
MEZO_API RunResult run(const RunConfig& config, Earlier earlier, Console& console);

// Checks everything that can be checked without reading weights: the model's tensors and tokenizer,
// every example that is used. `show`: also tells what the data are like, with so many examples of
// each split as the model reads them.
MEZO_API void validate(const RunConfig& config, std::optional<std::int64_t> show, Console& console);

}  // namespace mezo
