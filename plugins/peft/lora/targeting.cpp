#include "plugins/peft/lora/targeting.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "plugins/peft/lora/python_pattern.h"

namespace lora {

namespace {

// Whether a module is what a list names: a whole name or its last parts.
bool in_list(const std::vector<std::string>& names, const std::string& module) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return module == name || module.ends_with("." + name);
  });
}

bool all_of_kind(const nlohmann::ordered_json& list, auto is) {
  return list.is_array() && std::all_of(list.begin(), list.end(), is);
}

// That of the first pattern that fits.
double of_pattern(const auto& patterns, const std::string& module, double otherwise) {
  for (const auto& [pattern, value] : patterns)
    if (pattern(module)) return value;
  return otherwise;
}

// Whether a pattern fits a whole name or its last parts. One that is a name is compared as such,
// which is the same and quick: some folders have a pattern for every map of a large model.
std::function<bool(const std::string&)> at_the_end(const std::string& pattern,
                                                   const std::string& place) {
  const bool is_name = std::all_of(pattern.begin(), pattern.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.';  // a dot is any character
  });
  if (!is_name)
    return [regex = python_pattern("(.*\\.)?($)", pattern, place)](const std::string& module) {
      return std::regex_match(module, regex);
    };
  return [pattern](const std::string& module) {
    if (module.size() < pattern.size()) return false;
    const std::size_t before = module.size() - pattern.size();
    return (before == 0 || module[before - 1] == '.') &&
           std::equal(pattern.begin(), pattern.end(), module.begin() + static_cast<long>(before),
                      [](char p, char m) { return p == '.' || p == m; });
  };
}

}  // namespace

std::string Targeting::place(const std::string& key) const {
  return "[" + folder_.config().origin() + "] " + key;
}

// A list of names, a pattern of whole names, or null: none.
Targeting::Names Targeting::modules(const std::string& key) const {
  const auto value = nlohmann::ordered_json::parse(folder_.json(key));
  if (value.is_null()) return {};
  if (value.is_string()) {
    const std::string text = value;
    return [pattern = python_pattern("$", text, place(key))](const std::string& module) {
      return std::regex_match(module, pattern);
    };
  }
  if (!all_of_kind(value, [](const auto& name) { return name.is_string(); }))
    throw mezo::ModelError(place(key) + ": expected names or a pattern, got " + value.dump());
  return [names = value.get<std::vector<std::string>>()](const std::string& module) {
    return in_list(names, module);
  };
}

std::vector<Targeting::Pattern> Targeting::patterns(const std::string& key) const {
  const auto value = nlohmann::ordered_json::parse(folder_.json(key));
  std::vector<Pattern> patterns;
  if (value.is_null()) return patterns;
  if (!value.is_object())
    throw mezo::ModelError(place(key) + ": expected an object, got " + value.dump());
  for (const auto& [name, number] : value.items()) {
    if (!number.is_number())
      throw mezo::ModelError(place(key) + ": expected a number for '" + name + "', got " +
                             number.dump());
    patterns.emplace_back(at_the_end(name, place(key)), number);
  }
  return patterns;
}

void Targeting::read_layers() {
  const auto layers = nlohmann::ordered_json::parse(folder_.json("layers_to_transform"));
  if (layers.is_number_integer())
    layers_ = {layers.get<std::int64_t>()};
  else if (all_of_kind(layers, [](const auto& layer) { return layer.is_number_integer(); }))
    layers_ = layers.get<std::vector<std::int64_t>>();
  else if (!layers.is_null())
    throw mezo::ModelError(place("layers_to_transform") + ": expected layers' numbers, got " +
                           layers.dump());
  by_layer_ = !layers_.empty();
  auto names = nlohmann::ordered_json::parse(folder_.json("layers_pattern"));
  if (names.is_string()) names = nlohmann::ordered_json::array({names});
  if (names.is_null() || names == nlohmann::ordered_json::array({""})) return;
  if (!all_of_kind(names, [](const auto& name) { return name.is_string(); }))
    throw mezo::ModelError(place("layers_pattern") + ": expected names, got " + names.dump());
  for (const auto& name : names)
    before_layer_.push_back(python_pattern("(?:^|.*?\\.)$\\.(\\d+)\\.", name.get<std::string>(),
                                           place("layers_pattern")));
}

Targeting::Targeting(const mezo::PeftFolder& folder) : folder_(folder) {
  const auto targets = nlohmann::ordered_json::parse(folder.json("target_modules"));
  if (targets.is_null())
    throw mezo::ModelError(place("target_modules") +
                           ": expected the names of the maps that have tensors, as "
                           "[\"q_proj\", \"v_proj\"], got null");
  read_layers();
  if (targets.is_string() && (by_layer_ || !before_layer_.empty()))
    throw mezo::ModelError(place("layers_to_transform") +
                           ": has no meaning beside a pattern in target_modules; name the modules");
  excluded_ = modules("exclude_modules");
  ranks_ = patterns("rank_pattern");
  alphas_ = patterns("alpha_pattern");
  if (targets.is_array())
    for (const auto& name : targets)
      if (name.is_string()) whole_names_.insert(name.get<std::string>());
  std::string word = targets.is_string() ? targets.get<std::string>() : "";
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  targets_ =
      word == "all-linear" ? [](const std::string&) { return true; } : modules("target_modules");
}

bool Targeting::names(const std::string& module) const {
  if (excluded_ && excluded_(module)) return false;
  if (!targets_(module)) return false;
  if (!by_layer_ || whole_names_.contains(module)) return true;
  // The first part that is a number, with a part before it and one before that; or that which
  // follows layers_pattern.
  static const std::vector<std::regex> any = {std::regex(".*?\\.[^.]*\\.(\\d+)\\.")};
  for (const std::regex& pattern : before_layer_.empty() ? any : before_layer_) {
    std::smatch found;
    if (!std::regex_search(module, found, pattern, std::regex_constants::match_continuous))
      continue;
    const std::string number = found[found.size() - 1].str();
    return !number.empty() && number.size() < 10 &&
           std::find(layers_.begin(), layers_.end(), std::stoll(number)) != layers_.end();
  }
  return false;
}

std::int64_t Targeting::rank(const std::string& module) const {
  return static_cast<std::int64_t>(
      of_pattern(ranks_, module, static_cast<double>(folder_.config().integer("r"))));
}

double Targeting::alpha(const std::string& module) const {
  return of_pattern(alphas_, module, folder_.config().number("lora_alpha"));
}

}  // namespace lora
