#pragma once
// What a verb asks of a configuration that is right in itself, before anything is read.

#include "core/console/console.h"
#include "core/settings/run_config.h"

namespace mezo {

// What a user should know of the configuration and its task.
void say_notes(const RunConfig& config, Console& console);

// Throws ConfigError where there is no file to train on, if it trains, or none to measure on.
void require_data(const RunConfig& config, bool training);

// Of a run that trains. Throws ConfigError where the best step is to be kept and nothing could tell
// which it is.
void require_judge(const RunConfig& config);

// Throws ConfigError for an objective that reads what the task's questions do not have.
void require_fitting(const RunConfig& config);

}  // namespace mezo
