#include "plugins/peft/lora/adapter_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "plugins/peft/lora/targeting.h"

namespace lora {

namespace {

constexpr std::string_view prefix = "base_model.model.";

// The keys of the peft package's LoraConfig that the scores follow from, and those of no effect.
std::vector<mezo::PeftKey> read_or_idle() {
  std::vector<mezo::PeftKey> keys;
  for (const char* name :
       {"r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "target_modules",
        "exclude_modules", "layers_to_transform", "layers_pattern",
        // Of meaning in training, for a start that is refused, or beside another key that is:
        "lora_dropout", "fan_in_fan_out", "loftq_config", "eva_config", "corda_config",
        "lora_ga_config", "qalora_group_size", "megatron_core", "ensure_weight_tying"})
    keys.push_back({name});
  return keys;
}

// Its keys that make an adapter something else than plain LoRA.
std::vector<mezo::PeftKey> beyond_plain() {
  // The start of training is over, but some altered the base, and peft alters it at loading again.
  const char* const converted =
      "its start altered the base that it was trained beside; save it as plain LoRA with the peft "
      "package (save_pretrained with path_initial_model_for_weight_conversion), or merge it there "
      "(merge_and_unload) and use the merged model";
  const std::vector<std::string> null = {"null"}, off = {"null", "false"}, none = {"null", "[]"};
  return {{"init_lora_weights",
           {"null", "true", "false", "\"gaussian\"", "\"eva\"", "\"orthogonal\"", "\"mica\""},
           converted},
          {"bias", {"null", "\"none\""}},
          {"modules_to_save", none},
          {"trainable_token_indices", null},
          {"target_parameters", none},
          {"layer_replication", none},
          {"megatron_config", {"null", "{}"}},
          {"lora_bias", off},
          {"use_dora", off},
          {"use_qalora", off},
          {"use_bdlora", null},
          {"alora_invocation_tokens", null},
          {"arrow_config", null},
          {"kasa_config", null},
          {"velora_config", null},
          {"monteclora_config", null}};
}

// All of them, to which tests/run/test_peft_keys.py holds it.
std::vector<mezo::PeftKey> keys() {
  std::vector<mezo::PeftKey> all = read_or_idle();
  for (const mezo::PeftKey& key : beyond_plain()) all.push_back(key);
  return all;
}

// The module of a LoRA tensor's name, or nothing: "model.layers.0.mlp.up_proj".
std::string module_of(const std::string& tensor) {
  const auto end = tensor.find(".lora_");
  return tensor.starts_with(prefix) && end != tensor.npos
             ? tensor.substr(prefix.size(), end - prefix.size())
             : "";
}

// Whether the name has parts that only a wrapper around the model leaves there.
bool wrapped(const std::string& module) {
  for (const char* part :
       {"base_model.model.", "_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."})
    if (module.find(part) != module.npos) return true;
  return module.starts_with("module.");
}

// What a tensor is that no map uses, and what to do.
std::string advice(const std::string& tensor, const std::vector<Site>& maps) {
  if (!tensor.starts_with(prefix))
    return "the peft package's names begin with '" + std::string(prefix) +
           "', and it would not use this one; rename it, or save the adapter again with "
           "save_pretrained";
  const std::string module = module_of(tensor);
  if (module.empty())
    return "it would replace a part of the base; " + std::string(mezo::merge_it) +
           ". Embeddings that did not change are left out by save_pretrained(..., "
           "save_embedding_layers=False)";
  if (module.ends_with("lm_head") || module.ends_with("embed_out") ||
      tensor.find(".lora_embedding_") != tensor.npos)
    return "embeddings and the vocabulary head take no LoRA here; " + std::string(mezo::merge_it);
  const auto map =
      std::find_if(maps.begin(), maps.end(), [&](const Site& s) { return s.module == module; });
  if (map == maps.end() && wrapped(module))
    return "the model was saved in a wrapper, whose name stands in it; unwrap it and save the "
           "adapter again with save_pretrained";
  if (map == maps.end())
    return "this model has no such linear map, but '" + maps.front().module +
           "'; was the adapter made for another one?";
  for (const char which : {'A', 'B'})
    if (tensor == file_name(*map, which))
      return "target_modules, exclude_modules and layers_to_transform leave its map out, so the "
             "peft package would not use it; name the map there, or remove the tensor";
  return "a map has lora_A.weight and lora_B.weight only; save the adapter again with "
         "save_pretrained, which leaves an adapter's name out";
}

// A site with the rank that both the configuration and the tensors say.
void measure(Site& site, const Targeting& says, const mezo::PeftFolder& folder) {
  const std::string a = file_name(site, 'A'), b = file_name(site, 'B');
  site.rank = says.rank(site.module);
  site.alpha = says.alpha(site.module);
  const mezo::TensorView* view = folder.tensors().find(a);
  if (!view || !folder.tensors().find(b))
    throw mezo::ModelError("[" + folder.path() + "] target_modules names '" + site.module +
                           "', for which the folder has no tensor " + (view ? b : a) +
                           "; is it whole, and was it made for this model?");
  if (view->shape.size() == 2 && view->count() > 0 && view->shape[0] != site.rank)
    throw mezo::ModelError("[" + folder.path() + "] r or rank_pattern give '" + site.module +
                           "' rank " + std::to_string(site.rank) + ", but tensor " + a + " has " +
                           std::to_string(view->shape[0]) + "; correct adapter_config.json");
  folder.require(a, {site.rank, site.in});
  folder.require(b, {site.out, site.rank});
}

}  // namespace

std::string file_name(const Site& site, char which) {
  return std::string(prefix) + site.module + ".lora_" + which + ".weight";
}

std::shared_ptr<const mezo::PeftFolder> open_adapter(const std::string& folder) {
  auto opened = std::make_shared<const mezo::PeftFolder>(folder, std::vector<std::string>{"LORA"});
  opened->check_keys(keys());
  const mezo::ModelConfig& c = opened->config();
  if (c.integer("r") < 1 || c.integer("r") > 65536) c.refuse("r", "expected 1 to 65536");
  if (!(c.number("lora_alpha") > 0 && c.number("lora_alpha") <= 1e9))
    c.refuse("lora_alpha", "expected a number above 0, up to 1e9");
  return opened;
}

Chosen sites_of_adapter(const mezo::PeftFolder& folder,
                        std::span<const mezo::ParameterSpec> parameters) {
  const Targeting says(folder);
  const std::vector<Site> maps = linear_maps(parameters);
  Chosen chosen;
  std::vector<std::string> used;
  for (const Site& s : maps) {
    if (!says.names(s.module)) continue;
    chosen.sites.push_back(s);
    chosen.targets.push_back(s.module);
    used.insert(used.end(), {file_name(s, 'A'), file_name(s, 'B')});
  }
  folder.refuse_unused(used, [&](const std::string& tensor) { return advice(tensor, maps); });
  if (chosen.sites.empty())
    throw mezo::ModelError("[" + folder.path() +
                           "] target_modules names no linear map of this model; was the adapter "
                           "made for another one?");
  for (Site& s : chosen.sites) measure(s, says, folder);
  chosen.counts = counts_of(chosen.sites);
  return chosen;
}

}  // namespace lora
