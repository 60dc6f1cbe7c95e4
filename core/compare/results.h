#pragma once
// `mezo results`: runs that were done one by one, as one table.

#include <string>
#include <vector>

#include "core/api.h"
#include "core/console/console.h"

namespace mezo {

enum class ResultsForm { table, csv, json };

// A line for each run folder: method, task, the settings in which the runs differ, scores before
// and after, costs. Throws RunError for a folder that has no result, ConfigError for a config.yaml
// that cannot be read.
MEZO_API void report_results(const std::vector<std::string>& folders, ResultsForm form,
                             Console& console);

}  // namespace mezo
