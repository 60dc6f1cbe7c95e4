#include "core/model/gguf_config.h"

namespace mezo {

namespace {

// GGUF's names are the same for all architectures but for the prefix; each is one key of a
// config.json.
struct Translation {
  const char* gguf;
  const char* key;
};
constexpr Translation translations[] = {{"block_count", "num_hidden_layers"},
                                        {"context_length", "max_position_embeddings"},
                                        {"embedding_length", "hidden_size"},
                                        {"feed_forward_length", "intermediate_size"},
                                        {"attention.head_count", "num_attention_heads"},
                                        {"attention.head_count_kv", "num_key_value_heads"},
                                        {"attention.key_length", "head_dim"},
                                        {"attention.value_length", "v_head_dim"},
                                        {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
                                        {"attention.layer_norm_epsilon", "layer_norm_eps"},
                                        {"attention.sliding_window", "sliding_window"},
                                        {"rope.freq_base", "rope_theta"},
                                        {"rope.dimension_count", "rotary_dim"},
                                        {"vocab_size", "vocab_size"}};

// Those of scaled positions, which become an object.
constexpr const char* scaling_keys[] = {"rope.scaling.type", "rope.scaling.factor",
                                        "rope.scale_linear"};

nlohmann::json json_of(const GgufValue& v) {
  if (const auto x = v.as_integer()) return *x;
  if (const auto x = v.as_number()) return *x;
  if (const auto x = v.as_boolean()) return *x;
  if (const auto x = v.as_text()) return std::string(*x);
  return nlohmann::json::array({v.type_name()});  // a list, one entry a layer: no accessor takes it
                                                  // for a value or for nothing
}

bool has_bias(const TensorFile& tensors, const char* module) {
  return tensors.find("blk.0." + std::string(module) + ".bias") != nullptr;
}

void translate_keys(const GgufMetadata& meta, const std::string& prefix, GgufConfig& config) {
  for (const Translation& t : translations) {
    const std::string theirs = prefix + t.gguf;
    if (const GgufValue* v = meta.find(theirs)) config.value[t.key] = json_of(*v);
    config.spelling[t.key] = theirs;
  }
  for (const auto& [name, v] : meta.values()) {
    if (!name.starts_with(prefix)) continue;
    const std::string rest = name.substr(prefix.size());
    bool known = false;
    for (const Translation& t : translations) known |= rest == t.gguf;
    for (const char* key : scaling_keys) known |= rest == key;
    if (!known) config.value[name] = json_of(v);
  }
}

// As llama.cpp reads it: linear where no type is given, and unscaled by a factor of 0 or 1. A table
// of factors scales too.
void translate_scaling(const GgufFile& file, const std::string& prefix, GgufConfig& config) {
  const GgufMetadata& meta = file.metadata;
  std::string type_key = prefix + "rope.scaling.type", factor_key = prefix + "rope.scaling.factor";
  if (!meta.find(factor_key) && meta.find(prefix + "rope.scale_linear"))
    factor_key = prefix + "rope.scale_linear";
  nlohmann::json type = "linear", factor;
  if (const GgufValue* v = meta.find(type_key)) type = json_of(*v);
  if (const GgufValue* v = meta.find(factor_key)) factor = json_of(*v);
  if (type == "linear" && (factor.is_null() || factor == 0.0 || factor == 1.0)) type = "none";
  for (const char* table : {"rope_freqs.weight", "rope_factors_long.weight"})
    if (file.tensors.find(table)) type = std::string("the tensor ") + table;
  if (type == "none") return;
  config.value["rope_scaling"]["rope_type"] = type;
  if (!factor.is_null()) config.value["rope_scaling"]["factor"] = factor;
  config.spelling["rope_scaling.rope_type"] = type_key;
  config.spelling["rope_scaling.factor"] = factor_key;
}

}  // namespace

GgufConfig gguf_config(const GgufFile& file) {
  const GgufMetadata& meta = file.metadata;
  const std::string architecture = meta.text("general.architecture"), prefix = architecture + ".";
  GgufConfig config{nlohmann::json::object(), {}};
  config.value["architectures"] = {"gguf:" + architecture};
  translate_keys(meta, prefix, config);
  translate_scaling(file, prefix, config);
  // Which linear layers have biases is said by their presence alone.
  config.value["attention_bias"] = has_bias(file.tensors, "attn_q");
  config.value["mlp_bias"] = has_bias(file.tensors, "ffn_gate");
  // A file without an output matrix uses the embedding's.
  config.value["tie_word_embeddings"] = file.tensors.find("output.weight") == nullptr;
  if (!config.value.contains("vocab_size"))
    config.value["vocab_size"] =
        static_cast<std::int64_t>(meta.list("tokenizer.ggml.tokens").size());
  return config;
}

}  // namespace mezo
