// The LLaMA family: pre-norm decoder layers with RMSNorm, rotary positions, grouped-query attention
// and a SwiGLU feed-forward block. Touvron et al. 2023, arXiv 2302.13971; names and arithmetic as
// in transformers' LlamaForCausalLM.
//
// hidden():  x = embed(ids)
//            for each layer:  x += o(attention(rope(q(h)), rope(k(h)), v(h))),  h = rms(x)
//                             x += down(silu(gate(h)) * up(h)),                 h = rms(x)
//            rms(x)
// head():    one matrix, the embedding's own where the configuration ties them.

#include <ATen/TensorOperators.h>
#include <ATen/ops/silu.h>

#include <cmath>
#include <string>

#include "core/model/model.h"
#include "core/model/rotary_config.h"
#include "core/plugin/component.h"

namespace {

struct Layer {
  mezo::Norm attention_norm, feed_forward_norm;
  mezo::Linear q, k, v, o, gate, up, down;
};

// transformers' default; llama.cpp has none.
double epsilon_of(const mezo::ModelConfig& config) {
  const bool gguf = config.json("architectures").starts_with("[\"gguf:");
  return gguf ? config.number("rms_norm_eps") : config.number("rms_norm_eps", 1e-6);
}

class Llama : public mezo::Model {
 public:
  Llama(const mezo::ModelConfig& config, mezo::Declaration& declare)
      : heads_(config.integer("num_attention_heads")),
        kv_heads_(config.integer("num_key_value_heads", heads_)),
        width_(config.integer("head_dim",
                              config.integer("hidden_size") / std::max<std::int64_t>(heads_, 1))),
        norm_epsilon_(epsilon_of(config)) {
    check(config);
    rotary_ = mezo::rotary_of(config, width_);
    const std::int64_t hidden = config.integer("hidden_size"),
                       inner = config.integer("intermediate_size");
    const bool bias = config.boolean("attention_bias", false),
               mlp_bias = config.boolean("mlp_bias", false);
    embedding_ = declare.embedding("model.embed_tokens", config.integer("vocab_size"), hidden);
    for (std::int64_t i = 0; i < config.integer("num_hidden_layers"); ++i) {
      const std::string at = "model.layers." + std::to_string(i) + ".";
      Layer layer;
      layer.attention_norm = declare.rms_norm(at + "input_layernorm", hidden);
      layer.q = declare.linear(at + "self_attn.q_proj", hidden, heads_ * width_, bias);
      layer.k = declare.linear(at + "self_attn.k_proj", hidden, kv_heads_ * width_, bias);
      layer.v = declare.linear(at + "self_attn.v_proj", hidden, kv_heads_ * width_, bias);
      layer.o = declare.linear(at + "self_attn.o_proj", heads_ * width_, hidden, bias);
      layer.feed_forward_norm = declare.rms_norm(at + "post_attention_layernorm", hidden);
      layer.gate = declare.linear(at + "mlp.gate_proj", hidden, inner, mlp_bias);
      layer.up = declare.linear(at + "mlp.up_proj", hidden, inner, mlp_bias);
      layer.down = declare.linear(at + "mlp.down_proj", inner, hidden, mlp_bias);
      layers_.push_back(layer);
    }
    norm_ = declare.rms_norm("model.norm", hidden);
    head_ = config.boolean("tie_word_embeddings", false)
                ? declare.tied_head(embedding_)
                : declare.vocabulary_head("lm_head", hidden, config.integer("vocab_size"), false);
  }

  at::Tensor hidden(mezo::Ops& ops, const mezo::Batch& batch) const override {
    at::Tensor x = ops.embedding(embedding_, batch.ids);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      x = ops.enter_layer(static_cast<int>(i), x);
      x = x +
          attend(ops, static_cast<int>(i), ops.rms_norm(layer.attention_norm, x, norm_epsilon_));
      const at::Tensor h = ops.rms_norm(layer.feed_forward_norm, x, norm_epsilon_);
      x = x + ops.linear(layer.down, at::silu(ops.linear(layer.gate, h)) * ops.linear(layer.up, h));
    }
    return ops.rms_norm(norm_, x, norm_epsilon_);
  }

  at::Tensor head(mezo::Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(head_, rows);
  }

 private:
  void check(const mezo::ModelConfig& config) const {
    const auto within = [&](const char* key, std::int64_t most) {
      if (config.integer(key) < 1 || config.integer(key) > most)
        config.refuse(key, "expected 1 to " + std::to_string(most));
    };
    within("num_hidden_layers", 1024);
    within("hidden_size", 1 << 20);
    within("intermediate_size", 1 << 24);
    within("vocab_size", 1 << 24);
    if (heads_ > 4096 || width_ > 4096)
      config.refuse("num_attention_heads", "expected at most 4096 heads of at most 4096");
    if (!(norm_epsilon_ >= 0) || !std::isfinite(norm_epsilon_))
      config.refuse("rms_norm_eps", "expected a number from 0");
    if (heads_ < 1) config.refuse("num_attention_heads", "expected at least 1");
    if (!config.has("head_dim") && config.integer("hidden_size") % heads_ != 0)
      config.refuse("num_attention_heads", "expected a divisor of hidden_size");
    if (kv_heads_ < 1 || heads_ % kv_heads_ != 0)
      config.refuse("num_key_value_heads", "expected a divisor of num_attention_heads");
    if (width_ < 2 || width_ % 2 != 0) config.refuse("head_dim", "expected an even width");
    const std::string activation = config.text("hidden_act", "silu");
    if (activation != "silu" && activation != "swish")
      config.refuse("hidden_act", "this family has silu (swish) only");
    for (const char* key : {"rotary_dim", "v_head_dim"})
      if (config.integer(key, width_) != width_)
        config.refuse(key, "expected the head width, " + std::to_string(width_));
  }

  at::Tensor attend(mezo::Ops& ops, int i, const at::Tensor& h) const {
    const Layer& layer = layers_[static_cast<std::size_t>(i)];
    const std::int64_t rows = h.size(0);
    const at::Tensor q = ops.rope(ops.linear(layer.q, h).view({rows, heads_, width_}), rotary_);
    const at::Tensor k = ops.rope(ops.linear(layer.k, h).view({rows, kv_heads_, width_}), rotary_);
    const at::Tensor v = ops.linear(layer.v, h).view({rows, kv_heads_, width_});
    const at::Tensor seen =
        ops.attention(i, q, k, v, {1.0 / std::sqrt(static_cast<double>(width_)), true, 0});
    return ops.linear(layer.o, seen.view({rows, heads_ * width_}));
  }

  std::int64_t heads_, kv_heads_, width_;
  double norm_epsilon_;
  mezo::Rotary rotary_;
  mezo::Embedding embedding_;
  std::vector<Layer> layers_;
  mezo::Norm norm_;
  mezo::Linear head_;
};

class LlamaFamily : public mezo::ModelFamily {
 public:
  explicit LlamaFamily(const mezo::Parameters&) {}

  std::unique_ptr<mezo::Model> build(const mezo::ModelConfig& config,
                                     mezo::Declaration& declare) const override {
    return std::make_unique<Llama>(config, declare);
  }

  std::optional<mezo::TensorNames> file_names(const mezo::ModelConfig& config,
                                              mezo::FileKind kind) const override {
    if (kind == mezo::FileKind::safetensors) return {{{}, "model.", {"*.rotary_emb.inv_freq"}}};
    const std::int64_t heads = config.integer("num_attention_heads"),
                       kv_heads = config.integer("num_key_value_heads", heads);
    const std::string theirs = "blk.*.", layer = "model.layers.*.";
    return {{{{"token_embd.*", "model.embed_tokens.*"},
              {"output_norm.*", "model.norm.*"},
              {"output.*", "lm_head.*"},
              {theirs + "attn_norm.*", layer + "input_layernorm.*"},
              {theirs + "attn_q.*", layer + "self_attn.q_proj.*", heads},
              {theirs + "attn_k.*", layer + "self_attn.k_proj.*", kv_heads},
              {theirs + "attn_v.*", layer + "self_attn.v_proj.*"},
              {theirs + "attn_output.*", layer + "self_attn.o_proj.*"},
              {theirs + "ffn_norm.*", layer + "post_attention_layernorm.*"},
              {theirs + "ffn_gate.*", layer + "mlp.gate_proj.*"},
              {theirs + "ffn_up.*", layer + "mlp.up_proj.*"},
              {theirs + "ffn_down.*", layer + "mlp.down_proj.*"}}}};
  }

  std::optional<mezo::FolderConfig> folder_config(const mezo::ModelConfig&) const override {
    mezo::FolderConfig config{"LlamaForCausalLM", "llama", {}};
    for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                            "num_attention_heads", "num_key_value_heads", "head_dim",
                            "max_position_embeddings", "rms_norm_eps", "rope_theta", "rope_scaling",
                            "attention_bias", "mlp_bias", "tie_word_embeddings"})
      config.keys.push_back({key, key});
    return config;
  }
};

constexpr const char* serves[] = {"LlamaForCausalLM", "LlamaModel", "model_type:llama",
                                  "gguf:llama", nullptr};
constexpr mezo_component components[] = {mezo::component<LlamaFamily, mezo::ModelFamily>(
    MEZO_MODEL, "llama", "LLaMA, SmolLM2 and others of their architecture", nullptr, serves)};

}  // namespace

MEZO_PLUGIN("llama", "1.0.0", "The LLaMA family of language models", "MIT", components)
