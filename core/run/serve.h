#pragma once
// `mezo serve`: completions in the form of OpenAI's API, of a model or of a run's weights after a
// step, so that other programs can ask. Used by the command line.

#include <string>
#include <vector>

#include "core/run/replay.h"

namespace mezo {

struct ServeRequest {
  ReplayRequest weights;  // `run` may be a model, as in PredictRequest
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: one that is free
  std::vector<std::string> task_folders;
};

// Serves until a signal comes, and then throws RunError. A line goes to stdout as it begins. Throws
// what predict() throws before that, and RunError where the port cannot be had.
MEZO_API void serve(const ServeRequest& request, Console& console);

}  // namespace mezo
