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

// Every linear map of the model but the vocabulary head.
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
                    spec.layout,
                    {},
                    {}});
  }
  return maps;
}

std::string last_part(const std::string& module) { return module.substr(module.rfind('.') + 1); }

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

// "30 q_proj, 30 v_proj".
std::vector<std::string> counts_of(const std::vector<Site>& sites) {
  std::map<std::string, int> count;
  for (const Site& s : sites) ++count[last_part(s.module)];
  std::vector<std::string> counts;
  for (const auto& [name, n] : count) counts.push_back(std::to_string(n) + " " + name);
  return counts;
}

}  // namespace

std::string file_name(const Site& site, char which) {
  return "base_model.model." + site.module + ".lora_" + which + ".weight";
}

Chosen sites_of_targets(const std::vector<std::string>& given, std::int64_t rank,
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
      if (patterns) chosen.targets.push_back(s.module);
    }
  if (!patterns) chosen.targets = targets;
  chosen.counts = counts_of(chosen.sites);
  return chosen;
}

std::shared_ptr<const mezo::PeftFolder> open_adapter(const std::string& folder) {
  auto opened = std::make_shared<const mezo::PeftFolder>(folder, "LORA");
  opened->refuse_if_said({"use_dora", "use_qalora", "use_bdlora", "lora_bias", "bias",
                          "alpha_pattern", "layer_replication", "target_parameters",
                          "modules_to_save", "trainable_token_indices", "alora_invocation_tokens",
                          "arrow_config", "kasa_config", "velora_config", "monteclora_config"});
  return opened;
}

Chosen sites_of_adapter(const mezo::PeftFolder& folder,
                        std::span<const mezo::ParameterSpec> parameters) {
  Chosen chosen;
  std::vector<std::string> known;
  for (Site s : linear_maps(parameters)) {
    const mezo::TensorView* a = folder.tensors().find(file_name(s, 'A'));
    if (!a && !folder.tensors().find(file_name(s, 'B'))) continue;
    if (!a || a->shape.size() != 2 || a->shape[0] < 1)
      throw mezo::ModelError("[" + folder.path() + "] tensor " + file_name(s, 'A') +
                             " is missing or no matrix");
    s.rank = a->shape[0];
    folder.require(file_name(s, 'A'), {s.rank, s.in});
    folder.require(file_name(s, 'B'), {s.out, s.rank});
    known.push_back(file_name(s, 'A'));
    known.push_back(file_name(s, 'B'));
    chosen.targets.push_back(s.module);
    chosen.sites.push_back(s);
  }
  if (chosen.sites.empty())
    throw mezo::ModelError("[" + folder.path() +
                           "] the adapter has no tensors for a linear map of this model; was it "
                           "made for another one?");
  chosen.counts = counts_of(chosen.sites);
  chosen.notes = folder.strangers(
      {"peft_type", "task_type", "inference_mode", "r", "lora_alpha", "lora_dropout", "use_rslora",
       "rank_pattern", "target_modules", "fan_in_fan_out", "bias", "base_model_name_or_path",
       // Of no meaning once an adapter is made:
       "peft_version", "init_lora_weights", "revision", "auto_mapping", "layers_pattern",
       "layers_to_transform", "exclude_modules", "megatron_core", "loftq_config", "eva_config",
       "corda_config", "lora_ga_config", "qalora_group_size", "ensure_weight_tying"},
      known);
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
