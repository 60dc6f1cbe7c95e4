#pragma once
// How a run's texts are generated: by its generation block, its task file and its model.

#include <optional>

#include "core/checkpoint/load_model.h"
#include "core/generate/generator.h"
#include "core/settings/run_settings.h"
#include "core/task/task.h"

namespace mezo {

// `task`: null where there is none.
std::int64_t new_tokens_of(const GenerationSettings& settings, const Task* task);
GenerationRules rules_of(const GenerationSettings& settings, const Task* task,
                         const TextModel& model);

}  // namespace mezo
