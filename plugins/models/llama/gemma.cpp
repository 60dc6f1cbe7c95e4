// Gemma 2 (arXiv 2408.00118): norms before and behind each block, of gains that are stored less 1;
// every second layer has a window; caps of attention's scores and of the logits. Gemma 3 (arXiv
// 2503.19786): norms of each head instead of the scores' cap, five layers with a window and a base
// of their own before each without.
#include <cmath>

#include "description.h"
#include "variant.h"

namespace decoder {

namespace {

// What both have, of which only rotation differs.
Description gemma(const mezo::ModelConfig& config, const mezo::RotaryKeys& rotary) {
  Description d = described(config, {.rotary = rotary,
                                     .head_width = 256,
                                     .tied = true,
                                     .activation_key = "hidden_activation",
                                     .activation = "gelu_pytorch_tanh"});
  config.has("hidden_act");  // of older files, which transformers does not read
  d.qkv_bias = d.output_bias = config.boolean("attention_bias", false);
  d.gain_offset = 1;
  d.outer_norms = true;
  d.embedding_scale = std::sqrt(static_cast<double>(d.hidden));
  const double scalar = config.number("query_pre_attn_scalar", 256);
  if (!(scalar > 0)) config.refuse("query_pre_attn_scalar", "expected a number above 0");
  d.attention_scale = 1 / std::sqrt(scalar);
  return d;
}

Description describe_gemma2(const mezo::ModelConfig& config) {
  Description d = gemma(config, {});
  d.score_cap = cap_or_none(config, "attn_logit_softcapping", 50);
  d.logit_cap = cap_or_none(config, "final_logit_softcapping", 30);
  set_windows(d, config,
              sliding_layers(config, d.layers.size(), [](std::size_t i) { return i % 2 == 0; }),
              size_or_none(config, "sliding_window", 4096));
  return d;
}

struct TwoRotations {
  mezo::RotaryKeys global{"", "rope_theta", 1e6}, local{"", "rope_local_base_freq", 1e4};
};

// Older files scale the global layers by rope_scaling; newer ones have an object for each kind.
TwoRotations rotations(const mezo::ModelConfig& config) {
  TwoRotations keys;
  if (!config.keys("rope_scaling").empty()) keys.global.object = "rope_scaling";
  for (const std::string& kind : config.keys("rope_parameters")) {
    const std::string object = "rope_parameters." + kind;
    if (kind != "full_attention" && kind != "sliding_attention")
      config.refuse(object, "expected full_attention and sliding_attention alone");
    if (!config.has(object)) continue;
    if (kind == "full_attention" && !keys.global.object->empty())
      config.refuse("rope_scaling", "expected rope_parameters or rope_scaling, not both");
    (kind == "full_attention" ? keys.global : keys.local).object = object;
  }
  return keys;
}

Description describe_gemma3(const mezo::ModelConfig& config) {
  const TwoRotations keys = rotations(config);
  Description d = gemma(config, keys.global);
  d.head_norms = true;
  d.logit_cap = cap_or_none(config, "final_logit_softcapping", 0);
  const std::int64_t period = config.integer("sliding_window_pattern", 6);
  if (period < 1) config.refuse("sliding_window_pattern", "expected at least 1");
  config.has("_sliding_window_pattern");  // what transformers notes of the former
  const std::vector<bool> sliding = sliding_layers(config, d.layers.size(), [&](std::size_t i) {
    return (i + 1) % static_cast<std::size_t>(period) != 0;
  });
  const std::optional<std::int64_t> if_absent =
      is_gguf(config) ? std::nullopt : std::optional<std::int64_t>(4096);
  set_windows(d, config, sliding, size_or_none(config, "sliding_window", if_absent));
  const mezo::Rotary local = mezo::rotary_of(config, d.width, keys.local);
  for (std::size_t i = 0; i < sliding.size(); ++i)
    if (sliding[i]) d.layers[i].rotary = local;
  return d;
}

constexpr const char* gemma2_keys[] = {"attention_bias", "query_pre_attn_scalar", "sliding_window",
                                       "attn_logit_softcapping", "final_logit_softcapping"};
constexpr const char* gemma3_keys[] = {"attention_bias",         "query_pre_attn_scalar",
                                       "sliding_window",         "rope_local_base_freq",
                                       "sliding_window_pattern", "final_logit_softcapping"};

}  // namespace

constinit const Variant gemma2{describe_gemma2, "Gemma2ForCausalLM", "gemma2", false, gemma2_keys};
constinit const Variant gemma3{describe_gemma3, "Gemma3ForCausalLM", "gemma3_text", false,
                               gemma3_keys};

}  // namespace decoder
