#include <algorithm>
#include <filesystem>

#include "core/config/emit.h"
#include "core/plugin/create.h"
#include "core/run/run_config.h"
#include "core/run/settings.h"
#include "core/version.h"

namespace mezo {

namespace {

void replace(Value& block, const char* key, std::string text) {
  block.set(key, Value::scalar(std::move(text)));
}

std::string shortest(double number) {
  char text[32];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, number);
    if (std::stod(text) == number) break;
  }
  return text;
}

// Whether a plugin was found only because the command line or the environment named its folder.
bool only_asked_for(const Registry& registry, const Plugin& plugin) {
  const auto& folders = registry.folders();
  return std::any_of(folders.begin(), folders.end(), [&](const PluginFolder& f) {
    return f.required && f.path == plugin.path.parent_path();
  });
}

}  // namespace

std::string RunConfig::resolved_yaml(const ResolvedModel& model_was,
                                     const std::vector<std::string>& hashes) const {
  Value model_block = to_tree(model, model_settings());
  replace(model_block, "type", model_was.type);
  replace(model_block, "dtype", model_was.dtype);
  replace(model_block, "device", model_was.device);
  Value optimizer_block = to_tree(optimizer, optimizer_settings());
  if (optimizer.is_word("learning_rate"))
    replace(optimizer_block, "learning_rate", shortest(learning_rate()));
  if (optimizer.is_word("epsilon")) replace(optimizer_block, "epsilon", shortest(epsilon()));
  replace(optimizer_block, "storage", model_was.storage);
  replace(optimizer_block, "streams", model_was.streams);
  Value task_block = to_tree(task, task_settings());
  replace(task_block, "file",
          std::filesystem::absolute(task_file->path).lexically_normal().string());
  if (task.is_word("bos") && task.text("bos") == "auto") replace(task_block, "bos", model_was.bos);

  Value peft_block = to_tree(peft, table_of_block(peft_settings(), peft_mode.component));
  for (const auto& [key, text] :
       guard(peft_mode.component, [&] { return peft_mode.peft->resolved(); }))
    replace(peft_block, key.c_str(), text);

  Value tree = Value::map();
  tree.set("model", model_block);
  tree.set("peft", peft_block);
  tree.set("objective",
           to_tree(objective, table_of_block(objective_settings(), objective_component)));
  tree.set("task", task_block);
  tree.set("optimizer", optimizer_block);
  tree.set("trainer", to_tree(trainer, trainer_settings()));
  for (const Entry& entry : to_tree(top, top_settings()).entries) tree.set(entry.key, entry.value);
  const Component used[] = {registry->find(MEZO_MODEL, model_was.type), peft_mode.component,
                            objective_component};
  Value plugins = Value::sequence();
  std::string versions = std::string("# mezo ") + version_text + " with plugins";
  for (const std::string& file : plugin_files) plugins.items.push_back(Value::scalar(file));
  for (const Component& component : used) {
    const Plugin& plugin = *component.plugin;
    versions += std::string(" ") + plugin.descriptor->name + " " + plugin.descriptor->version;
    const std::string file = plugin.path.string();
    const bool named =
        std::find(plugin_files.begin(), plugin_files.end(), file) != plugin_files.end();
    if (!named && only_asked_for(*registry, plugin)) plugins.items.push_back(Value::scalar(file));
  }
  tree.set("plugins", plugins);
  for (const std::string& hash : hashes) versions += "\n# " + hash;
  return versions + "\n" + to_yaml(tree);
}

}  // namespace mezo
