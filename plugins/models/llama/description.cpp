#include "description.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace decoder {

namespace {

void check_sizes(const mezo::ModelConfig& config) {
  const auto within = [&](const char* key, std::int64_t most) {
    if (config.integer(key) < 1 || config.integer(key) > most)
      config.refuse(key, "expected 1 to " + std::to_string(most));
  };
  within("num_hidden_layers", 1024);
  within("hidden_size", 1 << 20);
  within("intermediate_size", 1 << 24);
  within("vocab_size", 1 << 24);
}

void check_heads(const mezo::ModelConfig& config, const Description& d, bool divided) {
  if (d.heads > 4096 || d.width > 4096)
    config.refuse("num_attention_heads", "expected at most 4096 heads of at most 4096");
  if (!(d.norm_epsilon >= 0) || !std::isfinite(d.norm_epsilon))
    config.refuse("rms_norm_eps", "expected a number from 0");
  if (d.heads < 1) config.refuse("num_attention_heads", "expected at least 1");
  if (divided && d.hidden % d.heads != 0)
    config.refuse("num_attention_heads", "expected a divisor of hidden_size");
  if (d.kv_heads < 1 || d.heads % d.kv_heads != 0)
    config.refuse("num_key_value_heads", "expected a divisor of num_attention_heads");
  if (d.width < 2 || d.width % 2 != 0) config.refuse("head_dim", "expected an even width");
  for (const char* key : {"rotary_dim", "v_head_dim"})
    if (config.integer(key, d.width) != d.width)
      config.refuse(key, "expected the head width, " + std::to_string(d.width));
}

// Absent is another thing than null.
bool absent(const mezo::ModelConfig& config, const std::string& key) {
  const auto keys = config.keys();
  return std::find(keys.begin(), keys.end(), key) == keys.end();
}

}  // namespace

bool is_gguf(const mezo::ModelConfig& config) {
  return config.json("architectures").starts_with("[\"gguf:");
}

Description described(const mezo::ModelConfig& config, const Defaults& defaults) {
  const bool gguf = is_gguf(config);
  Description d;
  d.heads = config.integer("num_attention_heads");
  d.kv_heads = config.integer("num_key_value_heads", d.heads);
  d.hidden = config.integer("hidden_size");
  const bool divided = !config.has("head_dim") && (gguf || defaults.head_width == 0);
  d.width = config.integer(
      "head_dim", divided ? d.hidden / std::max<std::int64_t>(d.heads, 1) : defaults.head_width);
  // transformers' default; llama.cpp has none.
  d.norm_epsilon = gguf ? config.number("rms_norm_eps") : config.number("rms_norm_eps", 1e-6);
  // Which biases a GGUF file has follows from its tensors; who has none need not ask.
  if (gguf)
    for (const char* biases : {"attention_bias", "mlp_bias"}) config.has(biases);
  check_sizes(config);
  check_heads(config, d, divided);
  d.inner = config.integer("intermediate_size");
  d.vocabulary = config.integer("vocab_size");
  d.tied = config.boolean("tie_word_embeddings", defaults.tied);
  d.activation = mezo::activation_of(config, defaults.activation_key, defaults.activation);
  d.attention_scale = 1.0 / std::sqrt(static_cast<double>(d.width));
  const LayerKind kind{mezo::rotary_of(config, d.width, defaults.rotary)};
  d.layers.assign(static_cast<std::size_t>(config.integer("num_hidden_layers")), kind);
  return d;
}

std::optional<std::int64_t> size_or_none(const mezo::ModelConfig& config, const char* key,
                                         std::optional<std::int64_t> otherwise) {
  if (!config.has(key)) return absent(config, key) ? otherwise : std::nullopt;
  if (config.integer(key) < 1) config.refuse(key, "expected at least 1");
  return config.integer(key);
}

double cap_or_none(const mezo::ModelConfig& config, const char* key, double otherwise) {
  if (!config.has(key)) return absent(config, key) ? otherwise : 0;
  const double cap = config.number(key);
  if (!(cap > 0) || !std::isfinite(cap)) config.refuse(key, "expected a number above 0");
  return cap;
}

std::vector<bool> sliding_layers(const mezo::ModelConfig& config, std::size_t count,
                                 const std::function<bool(std::size_t)>& sliding) {
  constexpr const char* key = "layer_types";
  std::vector<bool> layers;
  if (!config.has(key)) {
    for (std::size_t i = 0; i < count; ++i) layers.push_back(sliding(i));
    return layers;
  }
  for (const std::string& type : config.texts(key)) {
    if (type != "full_attention" && type != "sliding_attention")
      config.refuse(key, "expected full_attention and sliding_attention");
    layers.push_back(type == "sliding_attention");
  }
  if (layers.size() != count)
    config.refuse(key, "expected one for each of " + std::to_string(count) + " layers");
  return layers;
}

void set_windows(Description& description, const mezo::ModelConfig& config,
                 const std::vector<bool>& sliding, std::optional<std::int64_t> window) {
  for (std::size_t i = 0; i < sliding.size(); ++i) {
    if (!sliding[i]) continue;
    if (!window)
      config.refuse("sliding_window",
                    "layer " + std::to_string(i) +
                        " has a window, expected its length (and use_sliding_window, "
                        "where the family has that key)");
    description.layers[i].window = *window;
  }
}

}  // namespace decoder
