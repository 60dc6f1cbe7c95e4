#pragma once
// A run's configuration, checked as a whole before anything is loaded: the YAML file, what it
// extends, the command line's overrides, the plugins they name, the task file. Everything that is
// wrong is reported at once. What comes out are the settings, and apart from them the live
// components that they name.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/build_model.h"
#include "core/config/overrides.h"
#include "core/plugin/registry.h"
#include "core/settings/run_settings.h"
#include "core/task/task.h"
#include "core/train/zero_order.h"

namespace mezo {

struct RunConfig {
  std::string path;  // the YAML file
  RunSettings settings;
  std::shared_ptr<const Registry> registry;
  std::vector<std::string> plugin_files;  // what `plugins:` stands for, as absolute paths
  ChosenPeft peft;
  ChosenObjective objective;
  Task task;
  std::vector<std::string> notes;  // lines for the user

  // The mode as it takes part in an evaluation alone: where it starts from an adapter folder.
  ChosenPeft evaluated_mode() const;

  // Names what was asked for, the task file's text and the plugins' versions included, without
  // where the run goes: a finished run with the same one need not be done again. Reads no data, no
  // model.
  std::string requested_hash() const;
};

struct ConfigRequest {
  std::string path;
  std::vector<Argument> overrides;
  std::vector<PluginFolder> plugin_folders;
  std::vector<std::string> task_folders;
};

// The task that `task.file` of `tree` names, scored as `task.score` says; what is wrong with its
// file is added to `diagnostics`.
std::optional<Task> find_and_load_task(const Value& tree, const TaskSettings& settings,
                                       const std::vector<std::string>& folders,
                                       Diagnostics& diagnostics);

// Throws ConfigError, PluginError.
MEZO_API RunConfig load_run_config(const ConfigRequest& request);

// The two halves of that, for whoever changes the tree between them (core/compare). The first gives
// what the request's file, what it extends and the overrides make together, unchecked. The second
// also throws what is in `diagnostics` by then.
Value read_run_tree(const ConfigRequest& request, std::vector<std::string>& notes,
                    Diagnostics& diagnostics);
RunConfig check_run_config(const Value& tree, const ConfigRequest& request,
                           std::vector<std::string> notes, Diagnostics& diagnostics);

}  // namespace mezo
