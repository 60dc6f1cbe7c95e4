#pragma once
// A model that is to answer, and how: of a model's files, or of a run's weights after a step. Used
// by `mezo predict` and `mezo serve`.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/run/replay.h"
#include "core/run/run_streams.h"
#include "core/settings/run_settings.h"
#include "core/task/task.h"

namespace mezo {

struct AnsweringModel {
  LoadedModel model;
  TaskSettings settings;
  GenerationSettings generation;
  std::optional<Task> task;           // none: of a model for which none was given
  std::optional<RunStreams> streams;  // of a run

  // Most tokens that a sequence may have.
  std::int64_t longest() const {
    return std::min(settings.max_length, model.max_positions.value_or(INT64_MAX));
  }

  // What says how texts are generated: none where the task has options, or there is no task.
  const Task* text_task() const { return task && task->generates() ? &*task : nullptr; }
};

// Whether a path is a run's: its folder or its trajectory.
MEZO_API bool is_run(const std::string& path);

// `request.run` is a run or a model. Of a run the task is the recorded one, unless task.file is
// given; of a model there is none unless it is. Throws what replay_run() throws, and ConfigError,
// ModelError.
AnsweringModel answering_model(const ReplayRequest& request,
                               const std::vector<std::string>& task_folders, Console& console);

}  // namespace mezo
