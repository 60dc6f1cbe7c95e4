// GPT-2: decoder layers with LayerNorm before each block, learned positions, one map for queries,
// keys and values together. Radford et al. 2019; names and arithmetic as in transformers'
// GPT2LMHeadModel.
//
// hidden():  x = wte(ids) + wpe(places)
//            for each layer:  x += c_proj(attention(q, k, v)),  q | k | v = c_attn(ln_1(x))
//                             x += c_proj(act(c_fc(ln_2(x))))
//            ln_f(x)
// head():    one matrix, the embedding's own where the configuration ties them.

#include <ATen/TensorOperators.h>

#include <cmath>
#include <string>

#include "core/model/activation.h"
#include "core/model/model.h"
#include "core/plugin/component.h"

namespace {

struct Layer {
  mezo::Norm attention_norm, feed_forward_norm;
  mezo::Linear qkv, out, up, down;
};

// The keys have a spelling of GPT-2's own, and the one of other families, which GGUF's are
// translated to and transformers takes for the same.
std::string spelt(const mezo::ModelConfig& config, const char* own, const char* other) {
  return config.has(own) ? own : config.has(other) ? other : own;
}

class Gpt2 : public mezo::Model {
 public:
  Gpt2(const mezo::ModelConfig& config, mezo::Declaration& declare)
      : heads_(config.size(spelt(config, "n_head", "num_attention_heads"), 4096)),
        norm_epsilon_(config.number(spelt(config, "layer_norm_epsilon", "layer_norm_eps"), 1e-5)),
        scaled_(config.boolean("scale_attn_weights", true)),
        scaled_by_layer_(config.boolean("scale_attn_by_inverse_layer_idx", false)),
        activation_(mezo::activation_of(config, "activation_function", "gelu_new")) {
    const std::string width_key = spelt(config, "n_embd", "hidden_size"),
                      inner_key = spelt(config, "n_inner", "intermediate_size");
    const std::int64_t hidden = config.size(width_key, 1 << 20),
                       entries = config.size("vocab_size", 1 << 24),
                       inner = config.has(inner_key) ? config.size(inner_key, 1 << 24) : 4 * hidden;
    if (hidden % heads_ != 0) config.refuse(width_key, "expected a multiple of the heads");
    config.boolean("reorder_and_upcast_attn", false);  // the same numbers, for 16-bit training
    if (config.boolean("add_cross_attention", false))
      config.refuse("add_cross_attention", "this family has attention to its own sequence only");
    tokens_ = declare.embedding("transformer.wte", entries, hidden);
    positions_ = declare.embedding(
        "transformer.wpe",
        config.size(spelt(config, "n_positions", "max_position_embeddings"), 1 << 24), hidden);
    const std::int64_t count = config.size(spelt(config, "n_layer", "num_hidden_layers"), 1024);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string at = "transformer.h." + std::to_string(i) + ".";
      const auto linear = [&](const char* module, std::int64_t in, std::int64_t out) {
        return declare.linear(at + module, in, out, true, mezo::Layout::in_out);
      };
      layers_.push_back(
          {declare.layer_norm(at + "ln_1", hidden), declare.layer_norm(at + "ln_2", hidden),
           linear("attn.c_attn", hidden, 3 * hidden), linear("attn.c_proj", hidden, hidden),
           linear("mlp.c_fc", hidden, inner), linear("mlp.c_proj", inner, hidden)});
    }
    norm_ = declare.layer_norm("transformer.ln_f", hidden);
    head_ = config.boolean("tie_word_embeddings", true)
                ? declare.tied_head(tokens_)
                : declare.vocabulary_head("lm_head", hidden, entries, false);
  }

  at::Tensor hidden(mezo::Ops& ops, const mezo::Batch& batch) const override {
    at::Tensor x = ops.embedding(tokens_, batch.ids) + ops.embedding(positions_, batch.positions);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      x = ops.enter_layer(static_cast<int>(i), x);
      const at::Tensor seen =
          attend(ops, i, ops.layer_norm(layer.attention_norm, x, norm_epsilon_));
      x = still_read(ops, i, x) + ops.linear(layer.out, seen);
      const at::Tensor h = ops.layer_norm(layer.feed_forward_norm, x, norm_epsilon_);
      x = x + ops.linear(layer.down, ops.activated(layer.up, h, activation_));
    }
    return ops.layer_norm(norm_, x, norm_epsilon_);
  }

  at::Tensor head(mezo::Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(head_, rows);
  }

 private:
  at::Tensor still_read(mezo::Ops& ops, std::size_t i, const at::Tensor& x) const {
    return i + 1 == layers_.size() ? ops.still_read(x) : x;
  }

  // One product makes queries, keys and values of all rows; of the last layer's queries those that
  // are still read go on.
  at::Tensor attend(mezo::Ops& ops, std::size_t i, const at::Tensor& h) const {
    const std::int64_t hidden = h.size(1), width = hidden / heads_;
    const at::Tensor qkv = ops.linear(layers_[i].qkv, h);
    const auto part = [&](std::int64_t number) {
      return qkv.narrow(1, number * hidden, hidden).reshape({h.size(0), heads_, width});
    };
    double scale = scaled_ ? 1.0 / std::sqrt(static_cast<double>(width)) : 1;
    if (scaled_by_layer_) scale /= static_cast<double>(i + 1);
    const at::Tensor seen = ops.attention(static_cast<int>(i), still_read(ops, i, part(0)), part(1),
                                          part(2), {scale, true, 0});
    return seen.view({-1, hidden});
  }

  std::int64_t heads_;
  double norm_epsilon_;
  bool scaled_, scaled_by_layer_;
  mezo::Activation activation_;
  mezo::Embedding tokens_, positions_;
  std::vector<Layer> layers_;
  mezo::Norm norm_;
  mezo::Linear head_;
};

// llama.cpp's converter writes every map as [out, in].
mezo::TensorNames gguf_names() {
  const std::string theirs = "blk.*.", layer = "transformer.h.*.";
  mezo::TensorNames names{{{"token_embd.*", "transformer.wte.*"},
                           {"position_embd.*", "transformer.wpe.*"},
                           {"output_norm.*", "transformer.ln_f.*"},
                           {"output.*", "lm_head.*"},
                           {theirs + "attn_norm.*", layer + "ln_1.*"},
                           {theirs + "ffn_norm.*", layer + "ln_2.*"}}};
  for (const auto& [file, module] :
       {std::pair("attn_qkv.*", "attn.c_attn.*"), std::pair("attn_output.*", "attn.c_proj.*"),
        std::pair("ffn_up.*", "mlp.c_fc.*"), std::pair("ffn_down.*", "mlp.c_proj.*")})
    names.aliases.push_back({.file = theirs + file, .name = layer + module, .transposed = true});
  return names;
}

class Gpt2Family : public mezo::ModelFamily {
 public:
  explicit Gpt2Family(const mezo::Parameters&) {}

  std::unique_ptr<mezo::Model> build(const mezo::ModelConfig& config,
                                     mezo::Declaration& declare) const override {
    return std::make_unique<Gpt2>(config, declare);
  }

  std::optional<std::int64_t> max_positions(const mezo::ModelConfig& config) const override {
    return config.integer(spelt(config, "n_positions", "max_position_embeddings"));
  }

  // As published they have no "transformer.", and their causal masks beside the weights.
  std::optional<mezo::TensorNames> file_names(const mezo::ModelConfig&,
                                              mezo::FileKind kind) const override {
    if (kind == mezo::FileKind::gguf) return gguf_names();
    return {{{}, "transformer.", {"*h.*.attn.bias", "*h.*.attn.masked_bias"}}};
  }

  std::optional<mezo::FolderConfig> folder_config(const mezo::ModelConfig&) const override {
    return {{"GPT2LMHeadModel",
             "gpt2",
             {{"vocab_size", "vocab_size"},
              {"n_embd", "hidden_size"},
              {"n_inner", "intermediate_size"},
              {"n_layer", "num_hidden_layers"},
              {"n_head", "num_attention_heads"},
              {"n_positions", "max_position_embeddings"},
              {"layer_norm_epsilon", "layer_norm_eps"},
              {"tie_word_embeddings", "tie_word_embeddings"}}}};
  }
};

constexpr const char* serves[] = {"GPT2LMHeadModel", "GPT2Model", "GPT2DoubleHeadsModel",
                                  "model_type:gpt2", "gguf:gpt2", nullptr};
constexpr mezo_component components[] = {mezo::component<Gpt2Family, mezo::ModelFamily>(
    MEZO_MODEL, "gpt2", "GPT-2, from 124M to 1.5B", nullptr, serves)};

}  // namespace

MEZO_PLUGIN("gpt2", "1.0.0", "The GPT-2 family of language models", "MIT", components)
