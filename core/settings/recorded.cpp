#include "core/settings/recorded.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "core/config/emit.h"
#include "core/config/reader.h"
#include "core/config/spelling.h"
#include "core/error.h"

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

namespace {

void require_resolved(const OptimizerSettings& optimizer) {
  const bool epsilon = optimizer.own.has("epsilon") && optimizer.own.is_word("epsilon");
  if (!optimizer.learning_rate || epsilon)
    throw ConfigError(std::string("[trajectory's configuration] optimizer.") +
                      (optimizer.learning_rate ? "epsilon" : "learning_rate") +
                      " must be a number");
}

}  // namespace

StepSettings recorded_steps(const Value& tree) {
  Diagnostics diagnostics;
  StepSettings steps{read_optimizer(tree, diagnostics), read_trainer(tree, diagnostics)};
  diagnostics.throw_if_any();
  require_resolved(steps.optimizer);
  return steps;
}

RunSettings recorded_settings(const Value& tree, const Registry& registry) {
  Diagnostics diagnostics;
  read_top(tree, diagnostics);
  RunSettings settings = read_settings(tree, registry, diagnostics);
  diagnostics.throw_if_any();
  require_resolved(settings.optimizer);
  return settings;
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
