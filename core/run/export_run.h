#pragma once
// `mezo export`: a run's weights, rebuilt from its trajectory, as a folder that other programs
// load: a whole model, with an adapter merged into its weights, or an adapter alone. Used by the
// command line; costs a replay and, for a model, one reading of the base file.

#include <string>

#include "core/run/replay.h"

namespace mezo {

struct ExportRequest {
  ReplayRequest weights;       // of which run, after which step
  std::string path;            // the new folder
  std::string format = "hf";   // a Hugging Face model folder; "peft": an adapter folder
  std::string dtype = "auto";  // as export_dtype() takes it
};

// Writes the folder and says what was written. All that can be refused is refused before the
// replay, which may take long. Throws ConfigError for an unknown format or type, what replay_run()
// and export_folder() throw, and RunError after a signal; nothing is left at `path` then.
MEZO_API void export_run(const ExportRequest& request, Console& console);

}  // namespace mezo
