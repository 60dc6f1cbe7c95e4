#include "core/run/recorded_config.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "core/config/emit.h"
#include "core/config/reader.h"
#include "core/config/schema.h"
#include "core/config/spelling.h"
#include "core/error.h"
#include "core/plugin/create.h"
#include "core/run/settings.h"

namespace mezo {

namespace {

struct Setting {
  std::string key;
  const Value* value;
};

void collect(const Value& map, const std::string& prefix, std::vector<Setting>& settings) {
  for (const Entry& e : map.entries) {
    if (e.value.is_map())
      collect(e.value, prefix + e.key + ".", settings);
    else
      settings.push_back({prefix + e.key, &e.value});
  }
}

std::vector<Setting> all_settings(const Value& tree) {
  std::vector<Setting> settings;
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

RunConfig recorded_config(const Value& tree) {
  RunConfig config;
  Diagnostics diagnostics;
  config.top = check_top_level(tree, block_names(), top_settings(), diagnostics);
  config.model = check(tree.find("model"), "model", model_settings(), diagnostics);
  config.optimizer = check(tree.find("optimizer"), "optimizer", optimizer_settings(), diagnostics);
  config.trainer = check(tree.find("trainer"), "trainer", trainer_settings(), diagnostics);
  diagnostics.throw_if_any();
  for (const char* name : {"learning_rate", "epsilon"})
    if (config.optimizer.is_word(name))
      throw ConfigError(std::string("[trajectory's configuration] optimizer.") + name +
                        " must be a number");
  return config;
}

ChosenPeft recorded_mode(const Value& tree, const Registry& registry) {
  const Value* block = tree.find("peft");
  const Value* type = block ? block->find("type") : nullptr;
  if (!type) throw ConfigError("[trajectory's configuration] peft.type is missing");
  const Component& component = registry.find(MEZO_PEFT, type->text);
  Diagnostics diagnostics;
  const Parameters parameters =
      check(block, "peft", table_of_block(peft_settings(), component), diagnostics, tree.mark);
  diagnostics.throw_if_any();
  return {create<Peft>(component, parameters), component};
}

std::vector<std::string> changed_settings(const Value& then, const Value& now) {
  std::map<std::string, const Value*> before;
  for (const Setting& s : all_settings(then)) before[s.key] = s.value;
  std::vector<std::string> changed;
  for (const Setting& s : all_settings(now)) {
    const auto old = before.find(s.key);
    if (old == before.end() || !equal(*old->second, *s.value)) changed.push_back(s.key);
    if (old != before.end()) before.erase(old);
  }
  for (const auto& [key, value] : before) changed.push_back(key);
  return changed;
}

}  // namespace mezo
