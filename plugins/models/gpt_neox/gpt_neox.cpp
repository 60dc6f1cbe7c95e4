// GPT-NeoX and Pythia: decoder layers whose two blocks read the same rows, one map for queries,
// keys and values together, heads that are rotated in part. Black et al. 2022, arXiv 2204.06745;
// Biderman et al. 2023, arXiv 2304.01373; names and arithmetic as in transformers'
// GPTNeoXForCausalLM.
//
// hidden():  x = embed_in(ids)
//            for each layer:  x += dense(attention(r(q), r(k), v)) + mlp(norm2(x)),
//                             q | k | v of each head = query_key_value(norm1(x))
//            final_layer_norm(x)
//            where blocks are not parallel, mlp reads what attention was added to
// head():    one matrix, the embedding's own where the configuration ties them

#include <ATen/TensorOperators.h>

#include <cmath>
#include <string>

#include "core/model/activation.h"
#include "core/model/model.h"
#include "core/model/rotary_config.h"
#include "core/plugin/component.h"

namespace {

struct Layer {
  mezo::Norm attention_norm, feed_forward_norm;
  mezo::Linear qkv, out, up, down;
};

std::int64_t head_width(const mezo::ModelConfig& config) {
  const std::int64_t hidden = config.size("hidden_size", 1 << 20),
                     heads = config.size("num_attention_heads", 4096);
  if (hidden % heads != 0)
    config.refuse("num_attention_heads", "expected a divisor of hidden_size");
  return hidden / heads;
}

class GptNeoX : public mezo::Model {
 public:
  GptNeoX(const mezo::ModelConfig& config, mezo::Declaration& declare)
      : heads_(config.size("num_attention_heads", 4096)),
        width_(head_width(config)),
        norm_epsilon_(config.number("layer_norm_eps", 1e-5)),
        parallel_(config.boolean("use_parallel_residual", true)),
        rotary_(mezo::rotary_of(
            config, width_,
            {.base_key = "rotary_emb_base", .share_key = "rotary_pct", .share = 0.25})),
        activation_(mezo::activation_of(config, "hidden_act", "gelu")) {
    const std::int64_t hidden = heads_ * width_, entries = config.size("vocab_size", 1 << 24),
                       inner = config.size("intermediate_size", 1 << 24);
    const bool bias = config.boolean("attention_bias", true);
    embedding_ = declare.embedding("gpt_neox.embed_in", entries, hidden);
    for (std::int64_t i = 0; i < config.size("num_hidden_layers", 1024); ++i) {
      const std::string at = "gpt_neox.layers." + std::to_string(i) + ".";
      layers_.push_back({declare.layer_norm(at + "input_layernorm", hidden),
                         declare.layer_norm(at + "post_attention_layernorm", hidden),
                         declare.linear(at + "attention.query_key_value", hidden, 3 * hidden, bias),
                         declare.linear(at + "attention.dense", hidden, hidden, bias),
                         declare.linear(at + "mlp.dense_h_to_4h", hidden, inner, true),
                         declare.linear(at + "mlp.dense_4h_to_h", inner, hidden, true)});
    }
    norm_ = declare.layer_norm("gpt_neox.final_layer_norm", hidden);
    head_ = config.boolean("tie_word_embeddings", false)
                ? declare.tied_head(embedding_)
                : declare.vocabulary_head("lm_head", hidden, entries, false);
  }

  at::Tensor hidden(mezo::Ops& ops, const mezo::Batch& batch) const override {
    at::Tensor x = ops.embedding(embedding_, batch.ids);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      x = ops.enter_layer(static_cast<int>(i), x);
      const at::Tensor seen =
          attend(ops, i, ops.layer_norm(layer.attention_norm, x, norm_epsilon_));
      const at::Tensor read = still_read(ops, i, x), sum = read + ops.linear(layer.out, seen);
      const at::Tensor h =
          ops.layer_norm(layer.feed_forward_norm, parallel_ ? read : sum, norm_epsilon_);
      x = sum + ops.linear(layer.down, ops.activated(layer.up, h, activation_));
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
    const at::Tensor qkv = ops.linear(layers_[i].qkv, h).view({h.size(0), heads_, 3 * width_});
    const auto part = [&](std::int64_t number) {
      return qkv.narrow(2, number * width_, width_).contiguous();
    };
    const at::Tensor seen =
        ops.attention(static_cast<int>(i), ops.rope(still_read(ops, i, part(0)), rotary_),
                      ops.rope(part(1), rotary_), part(2),
                      {1.0 / std::sqrt(static_cast<double>(width_)), true, 0});
    return seen.view({-1, heads_ * width_});
  }

  std::int64_t heads_, width_;
  double norm_epsilon_;
  bool parallel_;
  mezo::Rotary rotary_;
  mezo::Activation activation_;
  mezo::Embedding embedding_;
  std::vector<Layer> layers_;
  mezo::Norm norm_;
  mezo::Linear head_;
};

class GptNeoXFamily : public mezo::ModelFamily {
 public:
  explicit GptNeoXFamily(const mezo::Parameters&) {}

  std::unique_ptr<mezo::Model> build(const mezo::ModelConfig& config,
                                     mezo::Declaration& declare) const override {
    return std::make_unique<GptNeoX>(config, declare);
  }

  // Older ones call the head embed_out, and have causal masks and frequencies beside the weights.
  // llama.cpp's converter orders the rows of query_key_value as no TensorNames says.
  std::optional<mezo::TensorNames> file_names(const mezo::ModelConfig&,
                                              mezo::FileKind kind) const override {
    if (kind != mezo::FileKind::safetensors) return {};
    return {{{{"embed_out.*", "lm_head.*"}},
             "gpt_neox.",
             {"*.attention.bias", "*.attention.masked_bias", "*.rotary_emb.inv_freq"}}};
  }
};

constexpr const char* serves[] = {"GPTNeoXForCausalLM", "GPTNeoXModel", "model_type:gpt_neox",
                                  nullptr};
constexpr mezo_component components[] = {mezo::component<GptNeoXFamily, mezo::ModelFamily>(
    MEZO_MODEL, "gpt_neox", "GPT-NeoX and Pythia", nullptr, serves)};

}  // namespace

MEZO_PLUGIN("gpt_neox", "1.0.0", "GPT-NeoX, Pythia and their kin", "MIT", components)
