// The OPT family: pre-norm decoder layers with LayerNorm, learned positions and a ReLU feed-forward
// block. Zhang et al. 2022, arXiv 2205.01068; names and arithmetic as in transformers'
// OPTForCausalLM.
//
// hidden():  x = embed(ids) + positions(places + 2)
//            for each layer:  x += out(attention(q(h), k(h), v(h))),  h = norm(x)
//                             x += fc2(relu(fc1(h))),                 h = norm(x)
//            norm(x)
// head():    one matrix, the embedding's own where the configuration ties them.

#include <ATen/TensorOperators.h>
#include <ATen/ops/relu.h>

#include <cmath>
#include <string>

#include "core/model/model.h"
#include "core/plugin/component.h"

namespace {

// Rows of the position table before that of a sequence's first token. fairseq, which OPT was
// trained with, kept them for padding.
constexpr std::int64_t position_offset = 2;
constexpr double norm_epsilon = 1e-5;  // no key of the configuration: torch's default

struct Layer {
  mezo::Norm attention_norm, feed_forward_norm;
  mezo::Linear q, k, v, out, fc1, fc2;
};

void check_sizes(const mezo::ModelConfig& config) {
  const auto within = [&](const char* key, std::int64_t most) {
    if (config.integer(key) < 1 || config.integer(key) > most)
      config.refuse(key, "expected 1 to " + std::to_string(most));
  };
  within("num_hidden_layers", 1024);
  within("hidden_size", 1 << 20);
  within("ffn_dim", 1 << 24);
  within("vocab_size", 1 << 24);
  within("max_position_embeddings", 1 << 24);
  within("num_attention_heads", 4096);
  if (config.integer("hidden_size") % config.integer("num_attention_heads") != 0)
    config.refuse("num_attention_heads", "expected a divisor of hidden_size");
}

// OPT-350m alone is post-norm and projects its embeddings; the other keys are of models that were
// fine-tuned with early versions of transformers, or that no one has published.
void check_architecture(const mezo::ModelConfig& config) {
  if (!config.boolean("do_layer_norm_before", true))
    config.refuse("do_layer_norm_before", "this family has norms before each block only");
  const std::int64_t hidden = config.integer("hidden_size");
  if (config.integer("word_embed_proj_dim", hidden) != hidden)
    config.refuse("word_embed_proj_dim",
                  "expected hidden_size, projected embeddings are not in this family");
  if (config.text("activation_function", "relu") != "relu")
    config.refuse("activation_function", "this family has relu only");
  if (config.boolean("_remove_final_layer_norm", false))
    config.refuse("_remove_final_layer_norm", "this family has a norm after the last layer");
  if (!config.boolean("layer_norm_elementwise_affine", true))
    config.refuse("layer_norm_elementwise_affine", "this family has norms with gain and bias only");
}

class Opt : public mezo::Model {
 public:
  Opt(const mezo::ModelConfig& config, mezo::Declaration& declare) {
    check_sizes(config);
    check_architecture(config);
    const std::int64_t hidden = config.integer("hidden_size"), inner = config.integer("ffn_dim"),
                       entries = config.integer("vocab_size");
    const bool bias = config.boolean("enable_bias", true);
    heads_ = config.integer("num_attention_heads");
    const std::string decoder = "model.decoder.";
    tokens_ = declare.embedding(decoder + "embed_tokens", entries, hidden);
    positions_ =
        declare.embedding(decoder + "embed_positions",
                          config.integer("max_position_embeddings") + position_offset, hidden);
    for (std::int64_t i = 0; i < config.integer("num_hidden_layers"); ++i) {
      const std::string at = decoder + "layers." + std::to_string(i) + ".";
      Layer layer;
      layer.attention_norm = declare.layer_norm(at + "self_attn_layer_norm", hidden);
      layer.q = declare.linear(at + "self_attn.q_proj", hidden, hidden, bias);
      layer.k = declare.linear(at + "self_attn.k_proj", hidden, hidden, bias);
      layer.v = declare.linear(at + "self_attn.v_proj", hidden, hidden, bias);
      layer.out = declare.linear(at + "self_attn.out_proj", hidden, hidden, bias);
      layer.feed_forward_norm = declare.layer_norm(at + "final_layer_norm", hidden);
      layer.fc1 = declare.linear(at + "fc1", hidden, inner, bias);
      layer.fc2 = declare.linear(at + "fc2", inner, hidden, bias);
      layers_.push_back(layer);
    }
    norm_ = declare.layer_norm(decoder + "final_layer_norm", hidden);
    head_ = config.boolean("tie_word_embeddings", true)
                ? declare.tied_head(tokens_)
                : declare.vocabulary_head("lm_head", hidden, entries, false);
  }

  at::Tensor hidden(mezo::Ops& ops, const mezo::Batch& batch) const override {
    at::Tensor x = ops.embedding(tokens_, batch.ids);
    x = x + ops.embedding(positions_, batch.positions + position_offset);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      x = ops.enter_layer(static_cast<int>(i), x);
      x = x +
          attend(ops, static_cast<int>(i), ops.layer_norm(layer.attention_norm, x, norm_epsilon));
      const at::Tensor h = ops.layer_norm(layer.feed_forward_norm, x, norm_epsilon);
      x = x + ops.linear(layer.fc2, at::relu(ops.linear(layer.fc1, h)));
    }
    return ops.layer_norm(norm_, x, norm_epsilon);
  }

  at::Tensor head(mezo::Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(head_, rows);
  }

 private:
  at::Tensor attend(mezo::Ops& ops, int i, const at::Tensor& h) const {
    const Layer& layer = layers_[static_cast<std::size_t>(i)];
    const std::int64_t rows = h.size(0), width = h.size(1) / heads_;
    const auto by_head = [&](const mezo::Linear& map) {
      return ops.linear(map, h).view({rows, heads_, width});
    };
    const at::Tensor q = by_head(layer.q), k = by_head(layer.k), v = by_head(layer.v);
    const at::Tensor seen =
        ops.attention(i, q, k, v, {1.0 / std::sqrt(static_cast<double>(width)), true, 0});
    return ops.linear(layer.out, seen.view({rows, heads_ * width}));
  }

  std::int64_t heads_ = 0;
  mezo::Embedding tokens_, positions_;
  std::vector<Layer> layers_;
  mezo::Norm norm_;
  mezo::Linear head_;
};

class OptFamily : public mezo::ModelFamily {
 public:
  explicit OptFamily(const mezo::Parameters&) {}

  std::unique_ptr<mezo::Model> build(const mezo::ModelConfig& config,
                                     mezo::Declaration& declare) const override {
    return std::make_unique<Opt>(config, declare);
  }

  // As published for some sizes, and as saved from OPTModel: decoder.layers.0….
  std::optional<mezo::TensorNames> file_names(const mezo::ModelConfig&,
                                              mezo::FileKind kind) const override {
    if (kind != mezo::FileKind::safetensors) return {};
    return {{{}, "model.", {}}};
  }
};

constexpr const char* serves[] = {"OPTForCausalLM", "OPTModel", "model_type:opt", nullptr};
constexpr mezo_component components[] = {mezo::component<OptFamily, mezo::ModelFamily>(
    MEZO_MODEL, "opt", "OPT, the sizes with norms before each block", nullptr, serves)};

}  // namespace

MEZO_PLUGIN("opt", "1.0.0", "The OPT family of language models", "MIT", components)
