#pragma once
// A run's configuration, checked as a whole before anything is loaded: the YAML file, what it
// extends, the command line's overrides, the plugins they name, the task file. Everything that is
// wrong is reported at once.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/overrides.h"
#include "core/config/parameters.h"
#include "core/checkpoint/build_model.h"
#include "core/plugin/registry.h"
#include "core/task/objective.h"
#include "core/task/task.h"

namespace mezo {

// What `auto` of the model's settings and of task.bos stood for, in their spelling.
struct ResolvedModel {
  std::string type, dtype, device, storage, streams, bos;
};

struct RunConfig {
  std::shared_ptr<const Registry> registry;
  Parameters top, model, peft, objective, task, optimizer,
      trainer;  // as tables of settings.h and the components have them
  ChosenPeft peft_mode;
  Component objective_component;
  std::shared_ptr<Objective> objective_function;
  std::optional<Task> task_file;          // set once loaded
  std::vector<std::string> plugin_files;  // what `plugins:` stands for, as absolute paths
  std::vector<std::string> notes;         // lines for the user

  // `auto` resolved.
  double learning_rate() const;
  double epsilon() const;

  // The mode as it takes part in an evaluation alone: where it starts from an adapter folder.
  ChosenPeft evaluated_mode() const;

  // The whole run as YAML with every default written out, `auto` replaced by what it stood for,
  // paths made absolute, and every plugin named that
  // does not lie where they are looked for anyway. Running it again repeats the run. `hashes` are
  // lines for its head, one for each file of weights.
  std::string resolved_yaml(const ResolvedModel& model_was,
                            const std::vector<std::string>& hashes) const;
};

struct ConfigRequest {
  std::string path;
  std::vector<Argument> overrides;
  std::vector<PluginFolder> plugin_folders;
  std::vector<std::string> task_folders;
};

// Throws ConfigError, PluginError.
MEZO_API RunConfig load_run_config(const ConfigRequest& request);

// Rows that `task.train_size` and the like allow: 0 for `all`.
MEZO_API std::int64_t size_limit(const Parameters& task, const std::string& name);

}  // namespace mezo
