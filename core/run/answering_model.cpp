#include "core/run/answering_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/checkpoint/start_adapter.h"
#include "core/config/overrides.h"
#include "core/config/schema.h"
#include "core/error.h"
#include "core/plugin/create.h"
#include "core/run/placement.h"
#include "core/run/run_model.h"
#include "core/run/untraced_run.h"
#include "core/settings/host_rows.h"
#include "core/settings/run_config.h"

namespace mezo {

namespace {

const std::vector<std::string>& blocks_read() {
  static const std::vector<std::string> blocks = {"model", "peft", "task", "generation"};
  return blocks;
}

// `plugins` alone of what stands beside the blocks.
std::span<const mezo_parameter> top_read() {
  const auto rows = top_settings();
  const auto plugins = std::ranges::find_if(
      rows, [](const auto& row) { return row.name == std::string("plugins"); });
  return rows.subspan(static_cast<std::size_t>(plugins - rows.begin()), 1);
}

Value tree_of(const ReplayRequest& request, std::vector<std::string>& plugins) {
  Value tree = Value::map();
  Value model = Value::map();
  model.set("path", Value::scalar(std::filesystem::absolute(request.run).string()));
  tree.set("model", model);
  Diagnostics diagnostics;
  std::vector<std::string> notes;
  apply_overrides(tree, request.overrides, host_settings(), notes, diagnostics);
  plugins = check_top_level(tree, blocks_read(), top_read(), diagnostics).list("plugins");
  diagnostics.throw_if_any();
  return tree;
}

ChosenPeft adapter_of(const ComponentSettings& peft) {
  const bool given = peft.own.has("adapter") && !peft.own.text("adapter").empty();
  if (given) return {create<Peft>(peft.component, peft.own), peft.component};
  if (peft.own.text("type") != "full")
    throw ConfigError(fmt::format(
        "[peft] type {} without an adapter folder changes nothing: give peft.adapter=FOLDER",
        peft.own.text("type")));
  return {};
}

// Quantised weights stay quantised, and on a GPU all stay in the type of their file.
bool kept_as_filed(const PreparedModel& prepared, const ModelPlacement& placement) {
  return placement.device.is_cuda() || std::ranges::any_of(prepared.types, [](DType type) {
           return storage_of(type).storage == Storage::quantised;
         });
}

LoadedModel model_of_files(const Value& tree, const std::vector<std::string>& plugins,
                           const std::vector<PluginFolder>& folders, Console& console) {
  PluginSearch search;
  search.named = plugins;
  search.base = std::filesystem::current_path();
  search.folders = folders;
  const Registry registry(search);
  Diagnostics diagnostics;
  const ModelSettings settings = read_model(tree, registry, diagnostics);
  const ComponentSettings peft = read_peft(tree, registry, diagnostics);
  diagnostics.throw_if_any();
  PreparedModel prepared =
      prepare_model(settings.path, registry, {settings.type, settings.own, adapter_of(peft)});
  say_notes(prepared, console);
  ModelPlacement placement = placement_of(settings, {});
  placement.frozen = kept_as_filed(prepared, placement);
  LoadedModel model = load_with_progress(std::move(prepared), placement, {}, console);
  start_adapter(model, 0);  // from its folder: nothing is drawn
  return model;
}

// A model without a task has no file for one, and only the model limits a sequence.
Value with_task_block(Value tree) {
  if (!tree.find("task")) tree.set("task", Value::map());
  Value& task = tree.entry("task")->value;
  if (task.is_map() && !task.find("file")) {
    task.set("file", Value::scalar(""));
    if (!task.find("max_length")) task.set("max_length", Value::scalar("1048576"));
  }
  return tree;
}

}  // namespace

bool is_run(const std::string& path) {
  std::error_code none;
  return std::filesystem::exists(std::filesystem::path(path) / "trajectory.mezo", none) ||
         (path.ends_with(".mezo") && std::filesystem::is_regular_file(path, none));
}

AnsweringModel answering_model(const ReplayRequest& request,
                               const std::vector<std::string>& task_folders, Console& console) {
  Value tree;
  std::optional<LoadedModel> model;
  std::optional<RunStreams> streams;
  if (is_run(request.run)) {
    ReplayRequest free = request;
    free.free_blocks = {"task", "generation"};
    ReplayedRun run = replay_run(free, console);
    streams = streams_of(run);
    tree = std::move(run.tree);
    model = std::move(run.model);
  } else {
    if (request.step)
      throw ConfigError(request.run + " is no run folder: only a run has steps (--step)");
    if (const std::string kept = kept_without_trajectory(request.run); !kept.empty())
      throw RunError("[model] " + kept);
    std::vector<std::string> plugins;
    tree = tree_of(request, plugins);
    model = model_of_files(tree, plugins, request.plugin_folders, console);
  }
  tree = with_task_block(std::move(tree));
  Diagnostics diagnostics;
  TaskSettings settings = read_task(tree, diagnostics);
  GenerationSettings generation = read_generation(tree, diagnostics);
  std::optional<Task> task;
  if (!settings.file.empty()) task = find_and_load_task(tree, settings, task_folders, diagnostics);
  diagnostics.throw_if_any();
  return {std::move(*model), std::move(settings), std::move(generation), std::move(task),
          std::move(streams)};
}

}  // namespace mezo
