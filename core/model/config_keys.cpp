#include "core/model/config_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace mezo {

namespace {

// A key that some family computes with, and the values under which it changes nothing, as a JSON
// list. GGUF's stand without their architecture's name.
struct Arithmetic {
  std::string_view key;
  const char* neutral;
};
constexpr Arithmetic arithmetic[] = {
    // how weights are stored, which parts there are
    {"quantization_config", "[]"},
    {"per_layer_config", "[{}]"},
    {"text_config", "[]"},
    {"is_encoder_decoder", "[false]"},
    {"add_cross_attention", "[false]"},
    {"pruned_heads", "[{}]"},
    {"num_experts", "[0]"},
    {"num_local_experts", "[0]"},
    {"n_routed_experts", "[0]"},
    {"expert_count", "[0]"},
    {"leading_dense_block_count", "[0]"},
    // factors
    {"logit_scale", "[1]"},
    {"logits_scaling", "[1]"},
    {"lm_head_multiplier", "[1]"},
    {"scale_emb", "[1]"},
    {"embedding_scale", "[1]"},
    {"embedding_multiplier", "[1]"},
    {"normalize_embeddings", "[false]"},
    {"scale_depth", "[]"},
    {"dim_model_base", "[]"},
    {"residual_scale", "[1]"},
    {"residual_multiplier", "[1]"},
    {"attention_multiplier", "[]"},
    {"attention.scale", "[]"},
    {"query_pre_attn_scalar", "[]"},
    {"scale_attn_weights", "[true]"},
    {"scale_attn_by_inverse_layer_idx", "[false]"},
    {"mup_enabled", "[false]"},
    {"use_mup", "[false]"},
    // limits
    {"final_logit_softcapping", "[0]"},
    {"attn_logit_softcapping", "[0]"},
    {"logit_soft_cap", "[0]"},
    {"clip_qkv", "[0]"},
    {"attention.clamp_kqv", "[0]"},
    // order and kind of the layers' parts
    {"parallel_attn", "[false]"},
    {"parallel_residual", "[false]"},
    {"use_parallel_residual", "[false]"},
    {"qk_layernorm", "[false]"},
    {"use_qk_norm", "[false]"},
    {"qk_norm", "[false]"},
    {"num_nextn_predict_layers", "[0]"},
    {"lm_head_bias", "[false]"},
    {"attention_bias", "[false]"},
    {"mlp_bias", "[false]"},
    {"attention_out_bias", "[]"},
    {"qkv_bias", "[false]"},
    {"use_bias", "[false]"},
    {"bias", "[false]"},
    // positions and what is seen
    {"rotary_dim", "[]"},
    {"rotary_pct", "[1]"},
    {"partial_rotary_factor", "[1]"},
    {"rope_pct", "[1]"},
    {"rope_interleaved", "[false]"},
    {"rope_interleave", "[false]"},
    {"rope_local_base_freq", "[]"},
    {"rope.freq_base_swa", "[]"},
    {"rope.dimension_sections", "[]"},
    {"rope.scaling.attn_factor", "[1]"},
    {"rope.scaling.yarn_log_multiplier", "[0]"},
    {"rope.scaling.yarn_ext_factor", "[1]"},
    {"rope.scaling.yarn_attn_factor", "[1]"},
    {"rope.scaling.yarn_beta_fast", "[32]"},
    {"rope.scaling.yarn_beta_slow", "[1]"},
    {"no_rope_layers", "[[]]"},
    {"no_rope_layer_interval", "[0]"},
    {"alibi", "[false]"},
    {"attention.max_alibi_bias", "[0]"},
    {"attention.causal", "[true]"},
    {"use_bidirectional_attention", "[false]"},
    {"attention_chunk_size", "[]"},
    {"v_head_dim", "[]"},
    {"attention_sinks", "[false]"},
};

// What the classes of transformers and its training keep beside the model, and what older versions
// of it wrote.
constexpr std::string_view harmless[] = {
    "architectures", "model_type", "transformers_version", "_name_or_path", "name_or_path",
    "_commit_hash", "auto_map", "dtype", "torch_dtype", "use_cache", "return_dict",
    "output_hidden_states", "output_attentions", "_attn_implementation", "attn_implementation",
    "_attn_implementation_autoset", "_flash_attn_2_enabled", "chunk_size_feed_forward",
    "torchscript", "use_bfloat16", "tf_legacy_loss", "gradient_checkpointing", "id2label",
    "label2id", "num_labels", "problem_type", "finetuning_task", "task_specific_params",
    "_num_labels", "output_past", "cache_implementation", "tokenizer_class", "prefix", "is_decoder",
    "tie_encoder_decoder", "cross_attention_hidden_size", "pretraining_tp", "initializer_range",
    "init_std", "max_sequence_length", "original_max_position_embeddings", "attention_dropout",
    "activation_dropout", "hidden_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop",
    "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "summary_type",
    "summary_use_proj", "summary_activation", "summary_proj_to_labels", "summary_first_dropout",
    "n_ctx", "directionality", "pooler_fc_size", "pooler_num_attention_heads",
    "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", "dropout", "layerdrop",
    "layer_norm_eps", "is_llama_config", "output_projection", "unsloth_fixed", "unsloth_version",
    "transformers.js_config", "vocab_size", "max_position_embeddings", "word_embed_proj_dim",
    "use_sliding_window", "max_window_layers",
    // what a generation is told, and special tokens
    "do_sample", "early_stopping", "max_length", "min_length", "max_new_tokens", "num_beams",
    "num_beam_groups", "num_return_sequences", "temperature", "top_k", "top_p", "typical_p",
    "repetition_penalty", "length_penalty", "diversity_penalty", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "suppress_tokens", "begin_suppress_tokens",
    "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
    "exponential_decay_length_penalty", "output_scores", "return_dict_in_generate", "bos_token_id",
    "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id", "decoder_start_token_id",
    // GGUF's
    "tensor_data_layout", "rope.scaling.finetuned", "expert_used_count"};

// Without the name of a GGUF's architecture.
std::string_view bare(const ModelConfig& config, std::string_view key) {
  const auto names = nlohmann::json::parse(config.json("architectures"));
  if (!names.is_array() || names.size() != 1 || !names[0].is_string()) return key;
  const std::string name = names[0].get<std::string>();
  if (!name.starts_with("gguf:")) return key;
  const std::string prefix = name.substr(5) + ".";
  return key.starts_with(prefix) ? key.substr(prefix.size()) : key;
}

// Layers of one kind, all of which see everything.
bool full_attention(const nlohmann::json& layer_types) {
  return layer_types.is_array() &&
         std::all_of(layer_types.begin(), layer_types.end(),
                     [](const auto& type) { return type == "full_attention"; });
}

// A window changes nothing where it is switched off, or no shorter than any sequence.
bool wide_window(const ModelConfig& config, const nlohmann::json& window) {
  if (!config.boolean("use_sliding_window", true) || window == 0) return true;
  return window.is_number_integer() && config.has("max_position_embeddings") &&
         window >= config.integer("max_position_embeddings");
}

void refuse_unless(bool neutral, const ModelConfig& config, const std::string& key) {
  if (!neutral)
    config.refuse(key, "changes what a model computes, and this family does not have it");
}

}  // namespace

std::vector<std::string> unknown_keys(const ModelConfig& config) {
  std::vector<std::string> unknown;
  for (const std::string& key : config.unread()) {
    const std::string_view name = bare(config, key);
    const auto value = nlohmann::json::parse(config.json(key));
    const auto at = std::ranges::find(arithmetic, name, &Arithmetic::key);
    if (at != std::end(arithmetic)) {
      const auto neutral = nlohmann::json::parse(at->neutral);
      refuse_unless(std::ranges::find(neutral, value) != neutral.end(), config, key);
    } else if (name == "sliding_window") {
      refuse_unless(wide_window(config, value), config, key);
    } else if (name == "layer_types") {
      refuse_unless(full_attention(value), config, key);
    } else if (std::ranges::find(harmless, name) == std::end(harmless)) {
      unknown.push_back(key);
    }
  }
  return unknown;
}

}  // namespace mezo
