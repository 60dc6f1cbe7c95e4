#pragma once
// `mezo compare`: does every cell of a sweep that is not done, each as a process of its own, and
// puts their results into one table. What is in the cells' folders is all that it remembers, so
// that a call after a kill, Ctrl-C or a failure goes on where it was.

#include <string>
#include <vector>

#include "core/api.h"
#include "core/console/console.h"
#include "core/settings/run_config.h"

namespace mezo {

struct CompareRequest {
  ConfigRequest config;
  std::vector<std::string> plugin_path;  // as the command line has it, for the cells
  bool overwrite = false;                // cells whose folder holds a run of another configuration
  std::string metric;                    // "": each task's own
  bool check = false;                    // only say what each cell is and whether it is done
};

// True where every cell is done, or only checked. A cell that fails does not keep the others from
// being done. Throws ConfigError and PluginError before any is started.
MEZO_API bool compare(const CompareRequest& request, Console& console);

}  // namespace mezo
