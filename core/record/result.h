#pragma once
// What a run reports of itself: the parts of result.json and the table at its end.

#include <nlohmann/json.hpp>
#include <string>

#include "core/answer/evaluate.h"
#include "core/checkpoint/load_model.h"
#include "core/machine/memory_use.h"
#include "core/record/weight_hashes.h"
#include "core/settings/run_config.h"

namespace mezo {

// {metric, "METRIC_stderr", … of all that was measured, "examples"}; null where there is no number.
nlohmann::ordered_json scores_of(const Evaluation&);

// "accuracy 71.4% ± 1.4, cross_entropy 0.5123 ± 0.0061".
std::string text_of(const Evaluation&);

// Method, task, metric, versions, hashes, types.
nlohmann::ordered_json describe_run(const RunConfig&, const LoadedModel&, const WeightHashes&,
                                    const std::string& method);

// The method of what was not trained here: "zero-shot", "in-context", "lora adapter".
std::string untrained_method(const RunConfig&, const LoadedModel&);

// Lines for config.yaml's head: "sha256 HASH  FILE".
std::vector<std::string> lines_of(const WeightHashes&);

// "mezo lora", "adam full": what trained, for describe_run().
std::string method_of(const RunConfig&);

// What a training run ends with on stdout, lines with their ends; `result` is its result.json.
std::string result_table(const RunConfig&, const LoadedModel&, const nlohmann::ordered_json& result,
                         const MemoryUse&);

}  // namespace mezo
