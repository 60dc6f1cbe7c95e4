#include "core/checkpoint/compressed_schemes.h"

#include "core/checkpoint/quantisation_keys.h"

namespace mezo {

namespace {

const std::string groups_key = quantisation("config_groups");

void set_strategy(const ModelConfig& config, const std::string& key, CompressedScheme& scheme) {
  const auto size = group_size(config, key + ".group_size", 0);
  const std::string told = size.value_or(0) > 0 ? "group" : size ? "tensor" : "channel";
  scheme.strategy = config.text(key + ".strategy", told);
  if (scheme.strategy == "tensor") return;
  scheme.block_rows = 1;
  if (scheme.strategy == "channel") return;
  if (scheme.strategy == "group") {
    if (size.value_or(0) < 1) config.refuse(key + ".group_size", "expected the columns of a group");
    scheme.block_columns = *size;
  } else if (scheme.strategy == "block") {
    const auto block = config.integers(key + ".block_structure");
    if (block.size() != 2 || block[0] < 1 || block[1] < 1)
      config.refuse(key + ".block_structure", "expected rows and columns of a block");
    scheme.block_rows = block[0];
    scheme.block_columns = block[1];
  } else {
    config.refuse(key + ".strategy",
                  "weights quantised so cannot be read; expected tensor, channel, group or block");
  }
}

void check_bits(const ModelConfig& config, const std::string& key, const CompressedScheme& scheme) {
  const bool whole_words = scheme.bits == 2 || scheme.bits == 4 || scheme.bits == 8;
  if (scheme.floats ? scheme.bits != 8 : scheme.packed ? !whole_words : scheme.bits > 8)
    config.refuse(key + ".num_bits",
                  scheme.floats   ? "floats of other than 8 bits (nvfp4, mxfp4) cannot be read"
                  : scheme.packed ? "packed integers of other than 2, 4 or 8 bits cannot be read"
                                  : "integers of more than 8 bits cannot be read");
}

CompressedScheme scheme_of(const ModelConfig& config, const std::string& name,
                           const std::string& format) {
  const std::string group = groups_key + "." + name, key = group + ".weights";
  refuse_other_keys(config, group,
                    {"targets", "weights", "input_activations", "output_activations", "format"});
  if (!config.has(key)) config.refuse(key, "expected how the weights of the group are quantised");
  refuse_other_keys(config, key,
                    {"num_bits", "type", "symmetric", "strategy", "group_size", "block_structure",
                     "dynamic", "actorder",
                     // the tensors tell; how scales were found
                     "scale_dtype", "zp_dtype", "observer", "observer_kwargs"});
  if (config.json(key + ".dynamic") != "null" && config.json(key + ".dynamic") != "false")
    config.refuse(key + ".dynamic",
                  "weights that are quantised anew for each forward cannot be read");
  CompressedScheme scheme;
  scheme.name = group;
  const std::string its =
      one_of(config, config.has(group + ".format") ? group + ".format" : quantisation("format"),
             {"pack-quantized", "int-quantized", "float-quantized", "naive-quantized"},
             format == "mixed-precision" ? "expected each group's form"
                                         : "weights in this form cannot be read");
  scheme.packed = its == "pack-quantized";
  scheme.floats = one_of(config, key + ".type", {"int", "float"}, "expected a type") == "float";
  scheme.symmetric = config.boolean(key + ".symmetric", true);
  scheme.bits =
      static_cast<int>(config.has(key + ".num_bits") ? config.size(key + ".num_bits", 32) : 8);
  set_strategy(config, key, scheme);
  if (scheme.packed && scheme.floats)
    config.refuse(key + ".type", "packed floats (nvfp4, mxfp4) cannot be read");
  check_bits(config, key, scheme);
  return scheme;
}

bool is_empty(const ModelConfig& config, const std::string& key) {
  const std::string value = config.json(key);
  return value == "null" || value == "{}" || value == "[]";
}

}  // namespace

std::vector<CompressedScheme> schemes_of(const ModelConfig& config) {
  std::vector<CompressedScheme> schemes;
  const std::string format = config.text(quantisation("format"), "");
  for (const std::string& name : config.keys(groups_key))
    schemes.push_back(scheme_of(config, name, format));
  if (schemes.empty()) config.refuse(groups_key, "expected groups of how weights are quantised");
  return schemes;
}

void check_schemes(const ModelConfig& config) {
  refuse_other_keys(config, quantisation_key,
                    {"quant_method", "format", "quantization_status", "config_groups",
                     "sparsity_config", "transform_config", "kv_cache_scheme",
                     // which modules, the tensors tell; what it was written by and is run by
                     "ignore", "global_compression_ratio", "version", "dequantize",
                     "run_compressed", "use_optimized_inference"});
  one_of(
      config, quantisation("format"),
      {"naive-quantized", "int-quantized", "float-quantized", "pack-quantized", "mixed-precision"},
      "weights in this form cannot be read");
  one_of(config, quantisation("quantization_status"), {"compressed"},
         "weights that are to be quantised as they are used cannot be read");
  for (const char* key : {"sparsity_config", "transform_config"})
    if (!is_empty(config, quantisation(key)) &&
        config.text(quantisation(key) + ".format", "") != "dense")
      config.refuse(quantisation(key),
                    "weights that are also sparse or transformed cannot be read");
  schemes_of(config);
}

std::vector<std::string> scheme_notes(const ModelConfig& config) {
  std::string what;
  for (const std::string& name : config.keys(groups_key))
    for (const char* activations : {"input_activations", "output_activations"})
      if (config.has(groups_key + "." + name + "." + activations)) what = "activations";
  if (config.has(quantisation("kv_cache_scheme")))
    what += what.empty() ? "keys and values" : ", keys and values";
  if (what.empty()) return {};
  return {config.origin() + ": " + what +
          " are meant to be quantised too, which is not done: what the model computes is what its "
          "dequantised weights give"};
}

}  // namespace mezo
