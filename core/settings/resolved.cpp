#include "core/settings/resolved.h"

#include <algorithm>

#include "core/config/emit.h"
#include "core/config/spelling.h"
#include "core/plugin/create.h"
#include "core/settings/optimizers.h"
#include "core/version.h"

namespace mezo {

namespace {

void replace(Value& tree, const char* block, const std::string& key, const std::string& text) {
  tree.entry(block)->value.set(key, Value::scalar(text));
}

// Whether a plugin was found only because the command line or the environment named its folder.
bool only_asked_for(const Registry& registry, const Plugin& plugin) {
  const auto& folders = registry.folders();
  return std::any_of(folders.begin(), folders.end(), [&](const PluginFolder& f) {
    return f.required && f.path == plugin.path.parent_path();
  });
}

Value plugins_of(const RunConfig& config, std::span<const Component> used) {
  Value plugins = Value::sequence();
  const auto& named = config.plugin_files;
  for (const std::string& file : named) plugins.items.push_back(Value::scalar(file));
  for (const Component& component : used) {
    const std::string file = component.plugin->path.string();
    const bool once = std::find(named.begin(), named.end(), file) != named.end();
    if (!once && only_asked_for(*config.registry, *component.plugin))
      plugins.items.push_back(Value::scalar(file));
  }
  return plugins;
}

}  // namespace

double learning_rate_of(const RunConfig& config) {
  if (const auto& rate = config.settings.optimizer.learning_rate) return *rate;
  return guard(config.peft.component, [&] { return config.peft.peft->recommended(); })
      .learning_rate;
}

EstimatorContext estimator_context(const RunConfig& config, bool shared_matrices) {
  const auto recommended =
      guard(config.peft.component, [&] { return config.peft.peft->recommended(); });
  return {recommended.epsilon, shared_matrices};
}

std::unique_ptr<Estimator> make_estimator(const OptimizerSettings& settings,
                                          const EstimatorContext& context) {
  return estimator_kind(settings.type).make(settings.own, settings.weight_decay, context);
}

Schedule schedule_of(const OptimizerSettings& optimizer, const TrainerSettings& trainer,
                     double learning_rate) {
  return {learning_rate, optimizer.schedule, optimizer.warmup, trainer.steps};
}

std::string resolved_yaml(const RunConfig& config, const ResolvedModel& model,
                          const EstimatorContext& context, const std::vector<std::string>& hashes) {
  const RunSettings& settings = config.settings;
  Value tree = settings.tree;
  const Component& family = config.registry->find(MEZO_MODEL, model.type);
  if (!settings.model.own)  // of type auto: the family's defaults were taken
    for (const Entry& entry : to_tree(default_settings(family, "model"), family.settings()).entries)
      tree.entry("model")->value.set(entry.key, entry.value);
  replace(tree, "model", "type", model.type);
  replace(tree, "model", "dtype", model.dtype);
  replace(tree, "model", "device", model.device);
  for (const auto& [key, text] :
       guard(config.peft.component, [&] { return config.peft.peft->resolved(); }))
    replace(tree, "peft", key, text);
  replace(tree, "task", "file", config.task.path);
  if (settings.task.bos.kind == SequenceStart::Kind::tokenizer)
    replace(tree, "task", "bos", model.bos);
  if (!settings.optimizer.learning_rate)
    replace(tree, "optimizer", "learning_rate", shortest_spelling(learning_rate_of(config)));
  replace(tree, "optimizer", "storage", model.storage);
  if (const EstimatorKind* estimator = optimizer_kind(settings.optimizer.type).estimator)
    for (const auto& [key, text] : estimator->resolved(settings.optimizer.own, context))
      replace(tree, "optimizer", key, text);

  const Component used[] = {family, config.peft.component, config.objective.component};
  std::string head = std::string("# mezo ") + version_text + " with plugins";
  for (const Component& component : used)
    head += std::string(" ") + component.plugin->descriptor->name + " " +
            component.plugin->descriptor->version;
  for (const std::string& hash : hashes) head += "\n# " + hash;
  tree.set("plugins", plugins_of(config, used));
  return head + "\n" + to_yaml(tree);
}

}  // namespace mezo
