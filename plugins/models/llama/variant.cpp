#include "variant.h"

#include <string>

namespace decoder {

std::optional<mezo::TensorNames> file_names(const Variant& variant, const mezo::ModelConfig& config,
                                            mezo::FileKind kind) {
  if (kind == mezo::FileKind::safetensors) return {{{}, "model.", {"*.rotary_emb.inv_freq"}}};
  const Description d = variant.describe(config);
  const std::int64_t heads = variant.reordered ? d.heads : 0,
                     kv_heads = variant.reordered ? d.kv_heads : 0;
  const std::string theirs = "blk.*.", layer = "model.layers.*.", attention = layer + "self_attn.";
  mezo::TensorNames names{{{"token_embd.*", "model.embed_tokens.*"},
                           {"output.*", "lm_head.*"},
                           {theirs + "attn_q.*", attention + "q_proj.*", heads},
                           {theirs + "attn_k.*", attention + "k_proj.*", kv_heads},
                           {theirs + "attn_v.*", attention + "v_proj.*"},
                           {theirs + "attn_output.*", attention + "o_proj.*"},
                           {theirs + "ffn_gate.*", layer + "mlp.gate_proj.*"},
                           {theirs + "ffn_up.*", layer + "mlp.up_proj.*"},
                           {theirs + "ffn_down.*", layer + "mlp.down_proj.*"}},
                          "",
                          {"rope_freqs.weight"}};
  // Norms have their whole gain there.
  const auto norm = [&](const std::string& file, const std::string& name) {
    names.aliases.push_back({file + ".*", name + ".*", 0, false, d.gain_offset});
  };
  const char* before = d.outer_norms ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  norm("output_norm", "model.norm");
  norm(theirs + "attn_norm", layer + "input_layernorm");
  norm(theirs + "ffn_norm", layer + before);
  norm(theirs + "post_attention_norm", layer + "post_attention_layernorm");
  norm(theirs + "post_ffw_norm", layer + "post_feedforward_layernorm");
  norm(theirs + "attn_q_norm", attention + "q_norm");
  norm(theirs + "attn_k_norm", attention + "k_norm");
  return names;
}

mezo::FolderConfig folder_config(const Variant& variant) {
  mezo::FolderConfig config{variant.architecture, variant.model_type, {}};
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads", "num_key_value_heads", "head_dim",
                          "max_position_embeddings", "rms_norm_eps", "rope_theta", "rope_scaling"})
    config.keys.push_back({key, key});
  for (const char* key : variant.keys) config.keys.push_back({key, key});
  config.keys.push_back({"tie_word_embeddings", "tie_word_embeddings"});
  return config;
}

}  // namespace decoder
