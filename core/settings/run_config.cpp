#include "core/settings/run_config.h"

#include <filesystem>

#include "core/config/emit.h"
#include "core/config/extends.h"
#include "core/config/schema.h"
#include "core/error.h"
#include "core/io/sha256.h"
#include "core/plugin/create.h"
#include "core/settings/host_rows.h"
#include "core/version.h"

namespace mezo {

namespace {

// Data files are named with their position in the config, before any of them is opened.
void check_files(const Value& tree, const RunSettings& run, Diagnostics& diagnostics) {
  const auto check_file = [&](const char* block, const char* key, const std::string& path) {
    std::error_code none;
    if (!path.empty() && !std::filesystem::exists(path, none))
      diagnostics.error(Code::bad_path, mark_of(tree, block, key),
                        std::string(block) + "." + key + ": no such file: " + path);
  };
  check_file("model", "path", run.model.path);
  check_file("task", "train", run.task.train);
  check_file("task", "dev", run.task.dev);
  check_file("task", "test", run.task.test);
  if (run.peft.own.has("adapter")) check_file("peft", "adapter", run.peft.own.text("adapter"));
}

}  // namespace

std::optional<Task> find_and_load_task(const Value& tree, const TaskSettings& settings,
                                       const std::vector<std::string>& folders,
                                       Diagnostics& diagnostics) {
  const Mark mark = mark_of(tree, "task", "file");
  try {
    std::string file = find_task(settings.file, folders);
    if (file == settings.file) file = resolve_path(file, mark).string();  // a path and no name
    std::optional<Task> task = load_task(file, diagnostics, mark);
    if (!task || !settings.score) return task;
    task->score = *settings.score;
    if (const std::string problem = task->score_problem(); !problem.empty())
      diagnostics.error(Code::not_a_choice, mark_of(tree, "task", "score"),
                        "task.score: " + problem + " (" + file + ")");
    return task;
  } catch (const UnknownTask& e) {
    diagnostics.error(Code::unknown_component, mark, e.what());
    return std::nullopt;
  }
}

ChosenPeft RunConfig::evaluated_mode() const {
  const Parameters& own = settings.peft.own;
  return own.has("adapter") && !own.text("adapter").empty() ? peft : ChosenPeft{};
}

std::string RunConfig::requested_hash() const {
  Value tree = settings.tree;
  tree.erase("output");
  std::string text = std::string("mezo ") + version_text + "\n";
  for (const auto& plugin : registry->plugins())
    text += std::string(plugin->descriptor->name) + " " + plugin->descriptor->version + "\n";
  text += to_yaml(tree) + sha256_of_file(task.path) + "\n";
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex();
}

Value read_run_tree(const ConfigRequest& request, std::vector<std::string>& notes,
                    Diagnostics& diagnostics) {
  std::optional<Config> config = read_config(request.path, host_settings(), diagnostics);
  if (!config) diagnostics.throw_if_any();
  notes = std::move(config->notes);
  apply_overrides(config->tree, request.overrides, host_settings(), notes, diagnostics);
  return std::move(config->tree);
}

RunConfig load_run_config(const ConfigRequest& request) {
  Diagnostics diagnostics;
  std::vector<std::string> notes;
  Value tree = read_run_tree(request, notes, diagnostics);
  if (const Entry* sweep = tree.entry("sweep")) {
    diagnostics.error(Code::unknown_key, sweep->mark, "a sweep is of several runs, and this is one",
                      "all of them: mezo compare " + request.path);
    tree.erase("sweep");
  }
  return check_run_config(tree, request, std::move(notes), diagnostics);
}

RunConfig check_run_config(const Value& tree, const ConfigRequest& request,
                           std::vector<std::string> notes, Diagnostics& diagnostics) {
  PluginSearch search;
  search.named = read_top(tree, diagnostics).plugins;
  search.base = std::filesystem::absolute(request.path).parent_path();
  search.folders = request.plugin_folders;
  std::shared_ptr<const Registry> registry;
  std::vector<std::string> plugin_files;
  try {
    registry = std::make_shared<const Registry>(search);
    for (const std::string& name : search.named)
      plugin_files.push_back(find_plugin_file(search, name).string());
  } catch (const PluginError&) {
    diagnostics.throw_if_any();  // without the plugins nothing below can be checked, but what was
                                 // found is told
    throw;
  }
  RunSettings settings = read_settings(tree, *registry, diagnostics);
  check_files(tree, settings, diagnostics);
  std::optional<Task> task;
  if (!settings.task.file.empty())
    task = find_and_load_task(tree, settings.task, request.task_folders, diagnostics);
  diagnostics.throw_if_any();
  settings.task.file = task->path;
  ChosenPeft peft{create<Peft>(settings.peft.component, settings.peft.own),
                  settings.peft.component};
  ChosenObjective objective{create<Objective>(settings.objective.component, settings.objective.own),
                            settings.objective.component, task->generates()};
  return {std::filesystem::absolute(request.path).string(),
          std::move(settings),
          std::move(registry),
          std::move(plugin_files),
          std::move(peft),
          std::move(objective),
          std::move(*task),
          std::move(notes)};
}

}  // namespace mezo
