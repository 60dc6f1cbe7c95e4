#include "core/model/gguf_config.h"

#include <algorithm>

#include "core/model/gguf_rotary.h"

namespace mezo {

namespace {

// GGUF's names are the same for all architectures but for the prefix; each is one key of a
// config.json.
struct Translation {
  const char* gguf;
  const char* key;
};
constexpr Translation translations[] = {
    {"block_count", "num_hidden_layers"},
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
    {"attention.sliding_window_pattern", "sliding_window_pattern"},
    {"attn_logit_softcapping", "attn_logit_softcapping"},
    {"final_logit_softcapping", "final_logit_softcapping"},
    {"rope.freq_base", "rope_theta"},
    {"rope.freq_base_swa", "rope_local_base_freq"},
    {"rope.dimension_count", "rotary_dim"},
    {"vocab_size", "vocab_size"}};

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
    if (!known && !is_rotary_scaling(rest)) config.value[name] = json_of(v);
  }
}

// Gemma's files do not say it: llama.cpp knows the largest model of each kind, which alone does not
// scale by the width of its heads, by its number of layers.
void add_query_scale(const std::string& architecture, nlohmann::json& config) {
  const std::int64_t largest = architecture == "gemma2" ? 46 : architecture == "gemma3" ? 62 : 0;
  if (largest == 0) return;
  const auto size = [&](const char* key) {
    const auto at = config.find(key);
    return at != config.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
  };
  const std::int64_t heads = std::max<std::int64_t>(size("num_attention_heads"), 1),
                     width = size("head_dim"), shared = size("hidden_size") / heads;
  config["query_pre_attn_scalar"] =
      size("num_hidden_layers") == largest || width == 0 ? shared : width;
}

}  // namespace

nlohmann::json json_of(const GgufValue& v) {
  if (const auto x = v.as_integer()) return *x;
  if (const auto x = v.as_number()) return *x;
  if (const auto x = v.as_boolean()) return *x;
  if (const auto x = v.as_text()) return std::string(*x);
  return nlohmann::json::array({v.type_name()});  // a list, one entry a layer: no accessor takes it
                                                  // for a value or for nothing
}

GgufConfig gguf_config(const GgufFile& file) {
  const GgufMetadata& meta = file.metadata;
  const std::string architecture = meta.text("general.architecture"), prefix = architecture + ".";
  GgufConfig config{nlohmann::json::object(), {}};
  config.value["architectures"] = {"gguf:" + architecture};
  translate_keys(meta, prefix, config);
  translate_rotary_scaling(file, prefix, config);
  add_query_scale(architecture, config.value);
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
