// BERT and RoBERTa: bidirectional layers with a LayerNorm behind each sum, learned positions, and a
// head that says which word belongs at a mask. Devlin et al. 2018, arXiv 1810.04805; Liu et al.
// 2019, arXiv 1907.11692; names and arithmetic as in transformers' BertForMaskedLM and
// RobertaForMaskedLM.
//
// hidden():  x = norm(words(ids) + types(0) + positions(places + offset))
//            for each layer:  x = norm(x + out(attention(q(x), k(x), v(x))))
//                             x = norm(x + down(act(up(x))))
// head():    one matrix and its bias, of norm(act(dense(rows))); the matrix is the embedding's own
//            where the configuration ties them.
//
// RoBERTa's table of positions begins with rows for padding, which the first token's follows; its
// head has GELU whatever the layers have.

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>

#include <cmath>
#include <string>

#include "core/model/activation.h"
#include "core/model/model.h"
#include "core/plugin/component.h"

namespace {

// What the two call their parts, and whether the head has GELU whatever the layers have.
struct Kind {
  const char *body, *dense, *norm, *decoder, *bias;
  bool gelu_head;
};
constexpr Kind bert = {"bert.",
                       "cls.predictions.transform.dense",
                       "cls.predictions.transform.LayerNorm",
                       "cls.predictions.decoder",
                       "cls.predictions.bias",
                       false};
constexpr Kind roberta = {"roberta.",        "lm_head.dense", "lm_head.layer_norm",
                          "lm_head.decoder", "lm_head.bias",  true};

struct Layer {
  mezo::Linear q, k, v, out, up, down;
  mezo::Norm attention_norm, feed_forward_norm;
};

// No key asks for anything else but in old files, and nothing here computes it.
void check(const mezo::ModelConfig& config) {
  if (config.text("position_embedding_type", "absolute") != "absolute")
    config.refuse("position_embedding_type", "this family has absolute positions only");
  for (const char* key : {"is_decoder", "add_cross_attention"})
    if (config.boolean(key, false)) config.refuse(key, "this family is an encoder alone");
}

class MaskedModel : public mezo::Model {
 public:
  MaskedModel(const mezo::ModelConfig& config, const Kind& kind, std::int64_t offset,
              mezo::Declaration& declare)
      : heads_(config.size("num_attention_heads", 4096)),
        offset_(offset),
        norm_epsilon_(config.number("layer_norm_eps", 1e-12)),
        gelu_head_(kind.gelu_head),
        activation_(mezo::activation_of(config, "hidden_act", "gelu")) {
    check(config);
    const std::int64_t hidden = config.size("hidden_size", 1 << 20),
                       entries = config.size("vocab_size", 1 << 24);
    if (hidden % heads_ != 0)
      config.refuse("num_attention_heads", "expected a divisor of hidden_size");
    const std::string body = kind.body, table = body + "embeddings.";
    words_ = declare.embedding(table + "word_embeddings", entries, hidden);
    positions_ = declare.embedding(table + "position_embeddings",
                                   config.size("max_position_embeddings", 1 << 24), hidden);
    types_ = declare.embedding(table + "token_type_embeddings",
                               config.size("type_vocab_size", 1 << 16), hidden);
    norm_ = declare.layer_norm(table + "LayerNorm", hidden);
    for (std::int64_t i = 0; i < config.size("num_hidden_layers", 1024); ++i)
      layers_.push_back(declared(declare, body + "encoder.layer." + std::to_string(i) + ".", hidden,
                                 config.size("intermediate_size", 1 << 24)));
    dense_ = declare.linear(kind.dense, hidden, hidden, true);
    head_norm_ = declare.layer_norm(kind.norm, hidden);
    head_ = config.boolean("tie_word_embeddings", true)
                ? declare.tied_head(words_, kind.bias)
                : declare.vocabulary_head(kind.decoder, hidden, entries, true);
  }

  at::Tensor hidden(mezo::Ops& ops, const mezo::Batch& batch) const override {
    at::Tensor x = ops.embedding(words_, batch.ids) + ops.embedding(types_, batch.positions * 0) +
                   ops.embedding(positions_, batch.positions + offset_);
    x = ops.layer_norm(norm_, x, norm_epsilon_);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      x = ops.enter_layer(static_cast<int>(i), x);
      const at::Tensor read = i + 1 == layers_.size() ? ops.still_read(x) : x;
      x = ops.layer_norm(layer.attention_norm, read + attend(ops, static_cast<int>(i), read, x),
                         norm_epsilon_);
      const at::Tensor h = ops.linear(layer.down, ops.activated(layer.up, x, activation_));
      x = ops.layer_norm(layer.feed_forward_norm, x + h, norm_epsilon_);
    }
    return x;
  }

  at::Tensor head(mezo::Ops& ops, const at::Tensor& rows) const override {
    const at::Tensor h = ops.linear(dense_, rows);
    return ops.linear(head_, ops.layer_norm(head_norm_, gelu_head_ ? at::gelu(h) : activation_(h),
                                            norm_epsilon_));
  }

 private:
  static Layer declared(mezo::Declaration& declare, const std::string& at, std::int64_t hidden,
                        std::int64_t inner) {
    return {declare.linear(at + "attention.self.query", hidden, hidden, true),
            declare.linear(at + "attention.self.key", hidden, hidden, true),
            declare.linear(at + "attention.self.value", hidden, hidden, true),
            declare.linear(at + "attention.output.dense", hidden, hidden, true),
            declare.linear(at + "intermediate.dense", hidden, inner, true),
            declare.linear(at + "output.dense", inner, hidden, true),
            declare.layer_norm(at + "attention.output.LayerNorm", hidden),
            declare.layer_norm(at + "output.LayerNorm", hidden)};
  }

  at::Tensor attend(mezo::Ops& ops, int i, const at::Tensor& asking, const at::Tensor& x) const {
    const Layer& layer = layers_[static_cast<std::size_t>(i)];
    const std::int64_t width = x.size(1) / heads_;
    const auto by_head = [&](const mezo::Linear& map, const at::Tensor& rows) {
      return ops.linear(map, rows).view({rows.size(0), heads_, width});
    };
    const at::Tensor q = by_head(layer.q, asking), k = by_head(layer.k, x), v = by_head(layer.v, x);
    const double scale = 1.0 / std::sqrt(static_cast<double>(width));
    const at::Tensor seen = ops.attention(i, q, k, v, {scale, false, 0});
    return ops.linear(layer.out, seen.view({q.size(0), heads_ * width}));
  }

  std::int64_t heads_, offset_;
  double norm_epsilon_;
  bool gelu_head_;
  mezo::Activation activation_;
  mezo::Embedding words_, positions_, types_;
  mezo::Norm norm_, head_norm_;
  std::vector<Layer> layers_;
  mezo::Linear dense_, head_;
};

// Published files have heads for other purposes, and a buffer that counts positions; old ones call
// a norm's gain gamma and its bias beta.
mezo::TensorNames names_in_files(const Kind& kind) {
  return {{{"*LayerNorm.gamma", "*LayerNorm.weight"}, {"*LayerNorm.beta", "*LayerNorm.bias"}},
          kind.body,
          {"*embeddings.position_ids", "*pooler.dense.*", "cls.seq_relationship.*"},
          {{std::string(kind.decoder) + ".bias", kind.bias}}};
}

class BertFamily : public mezo::ModelFamily {
 public:
  explicit BertFamily(const mezo::Parameters&) {}

  std::unique_ptr<mezo::Model> build(const mezo::ModelConfig& config,
                                     mezo::Declaration& declare) const override {
    return std::make_unique<MaskedModel>(config, bert, 0, declare);
  }
  bool causal(const mezo::ModelConfig&) const override { return false; }
  std::optional<mezo::TensorNames> file_names(const mezo::ModelConfig&,
                                              mezo::FileKind kind) const override {
    if (kind == mezo::FileKind::gguf) return {};
    return names_in_files(bert);
  }
};

// Rows of RoBERTa's table before that of the first token.
std::int64_t padding_rows(const mezo::ModelConfig& config) {
  return config.integer("pad_token_id", 1) + 1;
}

class RobertaFamily : public mezo::ModelFamily {
 public:
  explicit RobertaFamily(const mezo::Parameters&) {}

  std::unique_ptr<mezo::Model> build(const mezo::ModelConfig& config,
                                     mezo::Declaration& declare) const override {
    if (config.integer("max_position_embeddings") <= padding_rows(config))
      config.refuse("max_position_embeddings", "expected more than the rows up to pad_token_id");
    return std::make_unique<MaskedModel>(config, roberta, padding_rows(config), declare);
  }
  bool causal(const mezo::ModelConfig&) const override { return false; }
  std::optional<std::int64_t> max_positions(const mezo::ModelConfig& config) const override {
    return config.integer("max_position_embeddings") - padding_rows(config);
  }
  std::optional<mezo::TensorNames> file_names(const mezo::ModelConfig&,
                                              mezo::FileKind kind) const override {
    if (kind == mezo::FileKind::gguf) return {};
    return names_in_files(roberta);
  }
};

constexpr const char* serves_bert[] = {"BertForMaskedLM", "BertForPreTraining", "model_type:bert",
                                       nullptr};
constexpr const char* serves_roberta[] = {"RobertaForMaskedLM", "XLMRobertaForMaskedLM",
                                          "model_type:roberta", "model_type:xlm-roberta", nullptr};
constexpr mezo_component components[] = {
    mezo::component<BertFamily, mezo::ModelFamily>(MEZO_MODEL, "bert", "BERT, which fills a mask",
                                                   nullptr, serves_bert),
    mezo::component<RobertaFamily, mezo::ModelFamily>(MEZO_MODEL, "roberta",
                                                      "RoBERTa and XLM-RoBERTa, which fill a mask",
                                                      nullptr, serves_roberta)};

}  // namespace

MEZO_PLUGIN("bert", "1.0.0", "BERT and RoBERTa", "MIT", components)
