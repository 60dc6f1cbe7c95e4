#pragma once
// `mezo predict`: what a model answers, or a run's weights after a step: text that continues a
// prompt, or the option of a task that it chooses. Used by the command line.

#include <string>
#include <vector>

#include "core/run/replay.h"

namespace mezo {

struct PredictRequest {
  ReplayRequest weights;             // `run` may be a model: a Hugging Face folder or a .gguf file
  std::vector<std::string> prompts;  // as a model reads them; then no file
  std::string file;                  // rows, .jsonl or .tsv; "-": JSON lines from stdin
  bool text = false;                 // text, though the task has options
  std::vector<std::string> task_folders;
};

// Each answer goes to the console as it is known, in the order of what was asked, in lines of JSON;
// the text of a single prompt goes as it is. Without a task a row's field `prompt` is continued.
// Throws what replay_run() throws, ConfigError for overrides that have no part in it, DataError for
// a row, with its place, and RunError after a signal.
MEZO_API void predict(const PredictRequest& request, Console& console);

}  // namespace mezo
