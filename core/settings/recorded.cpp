#include "core/settings/recorded.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "core/config/emit.h"
#include "core/config/reader.h"
#include "core/config/schema.h"
#include "core/config/spelling.h"
#include "core/error.h"
#include "core/settings/host_rows.h"
#include "core/settings/optimizers.h"

namespace mezo {

namespace {

struct Recorded {
  std::string key;
  const Value* value;
};

void collect(const Value& map, const std::string& prefix, std::vector<Recorded>& settings) {
  for (const Entry& e : map.entries) {
    if (e.value.is_map())
      collect(e.value, prefix + e.key + ".", settings);
    else
      settings.push_back({prefix + e.key, &e.value});
  }
}

std::vector<Recorded> all_settings(const Value& tree) {
  std::vector<Recorded> settings;
  collect(tree, "", settings);
  return settings;
}

bool equal(const Value& a, const Value& b) {
  if (same(a, b)) return true;
  if (!a.is_scalar() || !b.is_scalar() || a.quoted || b.quoted) return false;
  const auto x = read_number(a.text), y = read_number(b.text);
  return std::holds_alternative<double>(x) && std::holds_alternative<double>(y) &&
         std::get<double>(x) == std::get<double>(y);
}

// What a run recorded it had resolved.
void require_resolved(const OptimizerSettings& optimizer) {
  for (const auto& [name, value] : optimizer.own.values())
    if (value.kind == Parameters::Value::Kind::word && value.text == "auto")
      throw ConfigError("[trajectory's configuration] optimizer." + name + " must be a number");
}

std::string type_of(const Value& tree, const char* block) {
  const Value* map = tree.find(block);
  const Value* type = map ? map->find("type") : nullptr;
  return type && type->is_scalar() ? type->text : "";
}

void add_defaults(Value& then, const Value& now, const char* block,
                  std::span<const mezo_parameter> rows) {
  const Value* map = now.find(block);
  if (!map) return;
  if (!then.find(block)) then.set(block, Value::map());
  Diagnostics none;
  const Value defaults = to_tree(check(nullptr, block, rows, none), rows);
  for (const Entry& e : defaults.entries)
    if (map->find(e.key) && !then.find(block)->find(e.key))
      then.entry(block)->value.set(e.key, e.value);
}

}  // namespace

Value recorded_tree(const std::string& yaml) {
  auto source = std::make_shared<Source>();
  source->name = "trajectory's configuration";
  source->folder = "/";  // paths of a resolved configuration are absolute
  std::istringstream in(yaml);
  for (std::string line; std::getline(in, line);) source->lines.push_back(line);
  Diagnostics diagnostics;
  std::optional<Value> tree = parse_file(source, diagnostics);
  diagnostics.throw_if_any();
  return std::move(*tree);
}

StepSettings recorded_steps(const Value& tree) {
  Diagnostics diagnostics;
  StepSettings steps{read_optimizer(tree, diagnostics), read_trainer(tree, diagnostics)};
  diagnostics.throw_if_any();
  require_resolved(steps.optimizer);
  return steps;
}

WeightSettings recorded_weights(const Value& tree, const Registry& registry) {
  registry.find(MEZO_MODEL, type_of(tree, "model"));
  registry.find(MEZO_PEFT, type_of(tree, "peft"));
  Diagnostics diagnostics;
  ModelSettings model = read_model(tree, registry, diagnostics);
  ComponentSettings peft = read_peft(tree, registry, diagnostics);
  diagnostics.throw_if_any();
  return {std::move(model), std::move(peft), recorded_steps(tree)};
}

Value with_later_settings(Value then, const Value& now, const Registry& registry) {
  add_defaults(then, now, "model", model_settings());
  add_defaults(then, now, "peft", peft_settings());
  add_defaults(then, now, "objective", objective_settings());
  add_defaults(then, now, "task", task_settings());
  add_defaults(then, now, "generation", generation_settings());
  add_defaults(then, now, "optimizer", optimizer_settings());
  add_defaults(then, now, "trainer", trainer_settings());
  const auto both = [&](const char* block) { return type_of(then, block) == type_of(now, block); };
  for (const auto& [block, kind] : {std::pair("model", MEZO_MODEL), std::pair("peft", MEZO_PEFT),
                                    std::pair("objective", MEZO_OBJECTIVE)})
    if (both(block))
      add_defaults(then, now, block, registry.find(kind, type_of(now, block)).settings());
  if (both("optimizer"))
    add_defaults(then, now, "optimizer", optimizer_kind(type_of(now, "optimizer")).settings);
  return then;
}

std::string setting_text(const Value& tree, const std::string& key) {
  const std::size_t dot = key.find('.');
  const Value* value = dot == std::string::npos ? tree.find(key) : tree.find(key.substr(0, dot));
  if (value && dot != std::string::npos) value = value->find(key.substr(dot + 1));
  return !value ? "absent" : value->is_scalar() ? value->text.empty() ? "none" : value->text : "…";
}

std::vector<std::string> changed_settings(const Value& then, const Value& now) {
  std::map<std::string, const Value*> before;
  for (const Recorded& s : all_settings(then)) before[s.key] = s.value;
  std::vector<std::string> changed;
  for (const Recorded& s : all_settings(now)) {
    const auto old = before.find(s.key);
    if (old == before.end() || !equal(*old->second, *s.value)) changed.push_back(s.key);
    if (old != before.end()) before.erase(old);
  }
  for (const auto& [key, value] : before) changed.push_back(key);
  return changed;
}

}  // namespace mezo
