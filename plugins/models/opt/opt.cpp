// The OPT family: decoder layers with LayerNorm, learned positions and a feed-forward block of two
// maps. Zhang et al. 2022, arXiv 2205.01068; names and arithmetic as in transformers'
// OPTForCausalLM.
//
// hidden():  x = in(embed(ids)) + positions(places + 2)
//            for each layer:  x += out(attention(q(h), k(h), v(h))),  h = norm(x)
//                             x += fc2(act(fc1(h))),                  h = norm(x)
//            norm(x)
// head():    out(rows), then one matrix, the embedding's own where the configuration ties them.
//
// The size of 350m alone has norms behind each sum in place of before each block, none at the end,
// and the projections in and out, since its embeddings are narrower than its layers.

#include <ATen/TensorOperators.h>

#include <cmath>
#include <string>

#include "core/model/activation.h"
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

// Of layers; the embeddings may be narrower.
std::int64_t width_of(const mezo::ModelConfig& config) {
  const std::int64_t hidden = config.size("hidden_size", 1 << 20);
  if (hidden % config.size("num_attention_heads", 4096) != 0)
    config.refuse("num_attention_heads", "expected a divisor of hidden_size");
  return hidden;
}

class Opt : public mezo::Model {
 public:
  Opt(const mezo::ModelConfig& config, mezo::Declaration& declare)
      : heads_(config.size("num_attention_heads", 4096)),
        norm_first_(config.boolean("do_layer_norm_before", true)),
        activation_(mezo::activation_of(config, "activation_function", "relu")) {
    if (!config.boolean("layer_norm_elementwise_affine", true))
      config.refuse("layer_norm_elementwise_affine",
                    "this family has norms with gain and bias only");
    const std::int64_t hidden = width_of(config), inner = config.size("ffn_dim", 1 << 24),
                       entries = config.size("vocab_size", 1 << 24);
    const bool bias = config.boolean("enable_bias", true);
    const std::int64_t width =
        config.has("word_embed_proj_dim") ? config.size("word_embed_proj_dim", 1 << 20) : hidden;
    const std::string decoder = "model.decoder.";
    tokens_ = declare.embedding(decoder + "embed_tokens", entries, width);
    positions_ = declare.embedding(
        decoder + "embed_positions",
        config.size("max_position_embeddings", 1 << 24) + position_offset, hidden);
    if (width != hidden) {
      in_ = declare.linear(decoder + "project_in", width, hidden, false);
      out_ = declare.linear(decoder + "project_out", hidden, width, false);
    }
    for (std::int64_t i = 0; i < config.size("num_hidden_layers", 1024); ++i) {
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
    // Models that were fine-tuned with early versions of transformers lack it.
    const bool without_norm = config.boolean("_remove_final_layer_norm", false);
    if (norm_first_ && !without_norm)
      norm_ = declare.layer_norm(decoder + "final_layer_norm", hidden);
    head_ = config.boolean("tie_word_embeddings", true)
                ? declare.tied_head(tokens_)
                : declare.vocabulary_head("lm_head", width, entries, false);
  }

  at::Tensor hidden(mezo::Ops& ops, const mezo::Batch& batch) const override {
    at::Tensor x = ops.embedding(tokens_, batch.ids);
    if (in_) x = ops.linear(*in_, x);
    x = x + ops.embedding(positions_, batch.positions + position_offset);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      x = ops.enter_layer(static_cast<int>(i), x);
      x = attended(ops, i, x);
      const at::Tensor h = norm_first_ ? normed(ops, layer.feed_forward_norm, x) : x;
      x = x + ops.linear(layer.fc2, ops.activated(layer.fc1, h, activation_));
      if (!norm_first_) x = normed(ops, layer.feed_forward_norm, x);
    }
    return norm_ ? ops.layer_norm(*norm_, x, norm_epsilon) : x;
  }

  at::Tensor head(mezo::Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(head_, out_ ? ops.linear(*out_, rows) : rows);
  }

 private:
  at::Tensor normed(mezo::Ops& ops, const mezo::Norm& norm, const at::Tensor& x) const {
    return ops.layer_norm(norm, x, norm_epsilon);
  }

  // x and what attention makes of it; of the last layer, in the rows that are still read.
  at::Tensor attended(mezo::Ops& ops, std::size_t i, const at::Tensor& x) const {
    const Layer& layer = layers_[i];
    const auto read = [&](const at::Tensor& t) {
      return i + 1 == layers_.size() ? ops.still_read(t) : t;
    };
    const at::Tensor h = norm_first_ ? normed(ops, layer.attention_norm, x) : x;
    const std::int64_t width = h.size(1) / heads_;
    const auto by_head = [&](const mezo::Linear& map, const at::Tensor& rows) {
      return ops.linear(map, rows).view({rows.size(0), heads_, width});
    };
    const at::Tensor q = by_head(layer.q, read(h)), k = by_head(layer.k, h),
                     v = by_head(layer.v, h);
    const at::Tensor seen = ops.attention(static_cast<int>(i), q, k, v,
                                          {1.0 / std::sqrt(static_cast<double>(width)), true, 0});
    const at::Tensor sum = read(x) + ops.linear(layer.out, seen.view({q.size(0), heads_ * width}));
    return norm_first_ ? sum : normed(ops, layer.attention_norm, sum);
  }

  std::int64_t heads_;
  bool norm_first_;
  mezo::Activation activation_;
  mezo::Embedding tokens_, positions_;
  std::optional<mezo::Linear> in_, out_;
  std::vector<Layer> layers_;
  std::optional<mezo::Norm> norm_;
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
    MEZO_MODEL, "opt", "OPT, from 125m to 66b", nullptr, serves)};

}  // namespace

MEZO_PLUGIN("opt", "1.0.0", "The OPT family of language models", "MIT", components)
