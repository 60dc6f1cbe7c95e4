#include "plugins/peft/lora/sites.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "core/config/nearest.h"
#include "core/error.h"
#include "core/model/name_pattern.h"

namespace lora {

namespace {

// How families call their query and value projections, or the one map that holds them; the first
// set of which a model has all is meant by `auto`.
const std::vector<std::vector<std::string>>& query_and_value() {
  static const std::vector<std::vector<std::string>> sets = {
      {"q_proj", "v_proj"}, {"query", "value"},  {"q", "v"}, {"q_lin", "v_lin"},
      {"qkv_proj"},         {"query_key_value"}, {"c_attn"}, {"Wqkv"}};
  return sets;
}

constexpr std::string_view weight = ".weight";

std::string module_of(const mezo::ParameterSpec& spec) {
  return spec.name.substr(0, spec.name.size() - weight.size());
}

std::string last_part(const std::string& module) { return module.substr(module.rfind('.') + 1); }

}  // namespace

std::vector<Site> linear_maps(std::span<const mezo::ParameterSpec> parameters) {
  std::vector<Site> maps;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const mezo::ParameterSpec& spec = parameters[i];
    if (spec.role != mezo::Role::matrix || !spec.name.ends_with(weight)) continue;
    const bool straight = spec.layout == mezo::Layout::out_in;
    maps.push_back({module_of(spec),
                    {static_cast<int>(i)},
                    spec.shape[straight ? 1 : 0],
                    spec.shape[straight ? 0 : 1],
                    0,
                    0,
                    spec.layout,
                    {},
                    {}});
  }
  return maps;
}

namespace {

bool any(const std::vector<Site>& maps, const std::string& target) {
  return std::any_of(maps.begin(), maps.end(),
                     [&](const Site& s) { return mezo::matches_module(target, s.module); });
}

std::string joined(const auto& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> resolve_auto(const std::vector<Site>& maps) {
  for (const auto& set : query_and_value())
    if (std::all_of(set.begin(), set.end(), [&](const auto& t) { return any(maps, t); }))
      return set;
  std::set<std::string> names;
  for (const Site& s : maps) names.insert(last_part(s.module));
  throw mezo::ConfigError(
      "[peft lora] targets: auto finds no query and value projections; name "
      "them (the model's linear maps: " +
      joined(names) + ")");
}

[[noreturn]] void refuse_target(const std::string& target, const std::vector<Site>& maps) {
  std::set<std::string> names;
  for (const Site& s : maps) names.insert(last_part(s.module));
  const std::vector<std::string> known(names.begin(), names.end());
  throw mezo::ConfigError("[peft lora] targets: '" + target + "' matches no linear map" +
                          mezo::did_you_mean(target, known) + " (the model has " + joined(known) +
                          "; its vocabulary head and embeddings take no LoRA)");
}

}  // namespace

std::vector<std::string> counts_of(const std::vector<Site>& sites) {
  std::map<std::string, int> count;
  for (const Site& s : sites) ++count[last_part(s.module)];
  std::vector<std::string> counts;
  for (const auto& [name, n] : count) counts.push_back(std::to_string(n) + " " + name);
  return counts;
}

Chosen sites_of_targets(const std::vector<std::string>& given, std::int64_t rank, double alpha,
                        std::span<const mezo::ParameterSpec> parameters) {
  const std::vector<Site> maps = linear_maps(parameters);
  const std::vector<std::string> targets =
      given == std::vector<std::string>{"auto"} ? resolve_auto(maps) : given;
  if (targets.empty()) throw mezo::ConfigError("[peft lora] targets: name at least one linear map");
  for (const std::string& target : targets)
    if (!any(maps, target)) refuse_target(target, maps);
  Chosen chosen;
  bool patterns = false;
  for (const std::string& target : targets) patterns = patterns || target.find('*') != target.npos;
  for (const Site& s : maps)
    if (std::any_of(targets.begin(), targets.end(),
                    [&](const auto& t) { return mezo::matches_module(t, s.module); })) {
      chosen.sites.push_back(s);
      chosen.sites.back().rank = rank;
      chosen.sites.back().alpha = alpha;
      if (patterns) chosen.targets.push_back(s.module);
    }
  if (!patterns) chosen.targets = targets;
  chosen.counts = counts_of(chosen.sites);
  return chosen;
}

std::string summary(const Chosen& chosen, std::int64_t rank, double alpha, std::int64_t elements) {
  char scale[32];
  std::snprintf(scale, sizeof scale, "%g", alpha);
  return "rank " + std::to_string(rank) + ", alpha " + scale + " on " +
         std::to_string(chosen.sites.size()) + " linear maps (" + joined(chosen.counts) + "), " +
         std::to_string(elements) + " parameters";
}

}  // namespace lora
