#include "core/run/run_config.h"

#include "core/config/extends.h"
#include "core/config/schema.h"
#include "core/error.h"
#include "core/plugin/create.h"
#include "core/run/settings.h"
#include "core/zo/kernel.h"

namespace mezo {

namespace {

Value read_tree(const ConfigRequest& request, std::vector<std::string>& notes,
                Diagnostics& diagnostics) {
  std::optional<Config> config = read_config(request.path, host_settings(), diagnostics);
  if (!config) diagnostics.throw_if_any();
  notes = std::move(config->notes);
  apply_overrides(config->tree, request.overrides, host_settings(), notes, diagnostics);
  return std::move(config->tree);
}

std::vector<std::string> ids(const Registry& registry, mezo_kind kind) {
  std::vector<std::string> names;
  for (const Component* c : registry.components(kind)) names.emplace_back(c->id());
  return names;
}

// Checks a block whose `type` names a component; leaves `component` empty after an error.
Parameters check_block(const Value& tree, const char* block, mezo_kind kind, const char* what,
                       const char* otherwise, std::span<const mezo_parameter> host,
                       const Registry& registry, Component& component, Diagnostics& diagnostics) {
  const std::string id = component_of(tree.find(block), block, what, ids(registry, kind), otherwise,
                                      diagnostics, tree.mark);
  if (id.empty()) return {};
  component = registry.find(kind, id);
  return check(tree.find(block), block, table_of_block(host, component), diagnostics, tree.mark);
}

void check_model_type(const Value& tree, const Registry& registry, Diagnostics& diagnostics) {
  std::vector<std::string> known = ids(registry, MEZO_MODEL);
  known.emplace_back("auto");
  component_of(tree.find("model"), "model", "model family", known, "auto", diagnostics, tree.mark);
}

Mark mark_of(const Value& tree, const char* block, const char* key) {
  const Value* b = tree.find(block);
  const Value* v = b ? b->find(key) : nullptr;
  return v ? v->mark : b ? b->mark : tree.mark;
}

// Data files are named with their position in the config, before any of them is opened.
void check_files(const Value& tree, const RunConfig& run, Diagnostics& diagnostics) {
  const auto check_file = [&](const char* block, const char* key, const std::string& path) {
    std::error_code none;
    if (!path.empty() && !std::filesystem::exists(path, none))
      diagnostics.error(Code::bad_path, mark_of(tree, block, key),
                        std::string(block) + "." + key + ": no such file: " + path);
  };
  if (run.model.has("path")) check_file("model", "path", run.model.text("path"));
  for (const char* key : {"train", "dev", "test"})
    if (run.task.has(key)) check_file("task", key, run.task.text(key));
  if (run.peft.has("adapter")) check_file("peft", "adapter", run.peft.text("adapter"));
}

// All of a step's streams in one forward are at most as many as one pass over the weights writes.
void check_streams(const Value& tree, const Parameters& optimizer, Diagnostics& diagnostics) {
  if (!optimizer.has("streams") || !optimizer.has("probes") || !optimizer.has("estimate")) return;
  if (optimizer.text("streams") != "together") return;
  const std::int64_t probes = optimizer.integer("probes");
  const std::int64_t streams = optimizer.text("estimate") == "one_sided" ? probes + 1 : 2 * probes;
  if (streams > static_cast<std::int64_t>(most_streams))
    diagnostics.error(Code::out_of_range, mark_of(tree, "optimizer", "probes"),
                      "optimizer.streams: together takes at most " + std::to_string(most_streams) +
                          " streams, got " + std::to_string(streams) + " of " +
                          std::to_string(probes) + " probes");
}

// The task that `task.file` names; what is wrong with its file is reported together with what is
// wrong here.
std::optional<Task> read_task(const Value& tree, const std::string& name,
                              const std::vector<std::string>& folders, Diagnostics& diagnostics) {
  const Mark mark = mark_of(tree, "task", "file");
  try {
    std::string file = find_task(name, folders);
    if (file == name) file = resolve_path(file, mark).string();  // a path and no name
    return load_task(file, diagnostics, mark);
  } catch (const UnknownTask& e) {
    diagnostics.error(Code::unknown_component, mark, e.what());
    return std::nullopt;
  }
}

}  // namespace

double RunConfig::learning_rate() const {
  if (!optimizer.is_word("learning_rate")) return optimizer.number("learning_rate");
  return guard(peft_mode.component, [&] { return peft_mode.peft->recommended().learning_rate; });
}

double RunConfig::epsilon() const {
  if (!optimizer.is_word("epsilon")) return optimizer.number("epsilon");
  return guard(peft_mode.component, [&] { return peft_mode.peft->recommended().epsilon; });
}

ChosenPeft RunConfig::evaluated_mode() const {
  return peft.has("adapter") && !peft.text("adapter").empty() ? peft_mode : ChosenPeft{};
}

RunConfig load_run_config(const ConfigRequest& request) {
  RunConfig run;
  Diagnostics diagnostics;
  const Value tree = read_tree(request, run.notes, diagnostics);
  run.top = check_top_level(tree, block_names(), top_settings(), diagnostics);

  PluginSearch search;
  search.named = run.top.list("plugins");
  search.base = std::filesystem::absolute(request.path).parent_path();
  search.folders = request.plugin_folders;
  std::shared_ptr<const Registry> registry;
  try {
    registry = std::make_shared<const Registry>(search);
    for (const std::string& name : search.named)
      run.plugin_files.push_back(find_plugin_file(search, name).string());
  } catch (const PluginError&) {
    diagnostics.throw_if_any();  // without the plugins nothing below can be checked, but what was
                                 // found is told
    throw;
  }
  run.registry = registry;

  check_model_type(tree, *registry, diagnostics);
  run.model = check(tree.find("model"), "model", model_settings(), diagnostics, tree.mark);
  run.peft = check_block(tree, "peft", MEZO_PEFT, "PEFT mode", "full", peft_settings(), *registry,
                         run.peft_mode.component, diagnostics);
  run.objective =
      check_block(tree, "objective", MEZO_OBJECTIVE, "objective", "cross_entropy",
                  objective_settings(), *registry, run.objective_component, diagnostics);
  run.task = check(tree.find("task"), "task", task_settings(), diagnostics, tree.mark);
  run.optimizer =
      check(tree.find("optimizer"), "optimizer", optimizer_settings(), diagnostics, tree.mark);
  run.trainer = check(tree.find("trainer"), "trainer", trainer_settings(), diagnostics, tree.mark);
  check_streams(tree, run.optimizer, diagnostics);
  check_files(tree, run, diagnostics);
  if (run.task.has("file"))
    run.task_file = read_task(tree, run.task.text("file"), request.task_folders, diagnostics);
  diagnostics.throw_if_any();
  run.peft_mode.peft = create<Peft>(run.peft_mode.component, run.peft);
  run.objective_function = create<Objective>(run.objective_component, run.objective);
  return run;
}

std::int64_t size_limit(const Parameters& task, const std::string& name) {
  return task.is_word(name) ? 0 : task.integer(name);
}

}  // namespace mezo
