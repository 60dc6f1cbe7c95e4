// A family of its own (two_layers.h) through everything that a forward offers: streams, tokens of
// each stream, an attention that remembers, the trace; compared with plain numbers.
#include <doctest/doctest.h>

#include "core/checkpoint/build_model.h"
#include "core/error.h"
#include "core/forward/forward_trace.h"
#include "core/forward/stream_ops.h"
#include "core/plugin/component.h"
#include "two_layers.h"

using namespace mezo;

namespace {

using Sequences = std::vector<std::vector<std::int32_t>>;

at::Tensor logits_of(const TwoLayers& model, ParameterSource& source, const PackedBatch& batch,
                     Attention* attention = nullptr) {
  StreamOps ops(source, batch, nullptr, attention);
  return model.head(ops, model.hidden(ops, ops.batch()));
}

// Those of whole sequences, one after another.
double difference_from_scalar(const TwoLayers& model, const std::vector<at::Tensor>& copy,
                              const Sequences& sequences, const at::Tensor& logits) {
  const Scalar scalar(model, copy);
  std::int64_t row = 0;
  double worst = 0;
  for (const auto& ids : sequences)
    for (const auto& expected : scalar.logits(ids)) {
      for (std::size_t e = 0; e < expected.size(); ++e)
        worst = std::max(worst, std::abs(expected[e] -
                                         logits[row][static_cast<std::int64_t>(e)].item<double>()));
      ++row;
    }
  return row == logits.size(0) ? worst : std::numeric_limits<double>::infinity();
}

// A cache of keys and values: one sequence, whose later tokens come in forwards of their own.
class Cache : public Attention {
 public:
  at::Tensor operator()(int layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const AttentionOptions& o, const std::optional<KeysValues>&) override {
    kept_.resize(std::max(kept_.size(), static_cast<std::size_t>(layer) + 1));
    KeysValues& own = kept_[static_cast<std::size_t>(layer)];
    own = own.keys.defined() ? KeysValues{at::cat({own.keys, k}), at::cat({own.values, v})}
                             : KeysValues{k, v};
    // As the last rows of the whole sequence; what the others would see is dropped.
    PackedBatch whole;
    whole.add(tokens(0, static_cast<std::int32_t>(own.keys.size(0))));
    const std::int64_t before = own.keys.size(0) - q.size(0);
    const at::Tensor queries =
        before ? at::cat({at::full({before, q.size(1), q.size(2)}, 0.0, q.options()), q}) : q;
    return PackedAttention(whole, 1)(layer, queries, own.keys, own.values, o)
        .narrow(0, before, q.size(0));
  }

 private:
  std::vector<KeysValues> kept_;
};

}  // namespace

TEST_CASE("a family of its own gives what its formula gives, under each stream") {
  const TwoLayers model;
  const auto a = parameters_of(model.declaration, 1), b = parameters_of(model.declaration, 2);
  const Sequences sequences = {{3, 1, 12, 0, 5, 5, 7}, {2}, {9, 4, 3, 11}};
  PackedBatch batch;
  for (const auto& ids : sequences) batch.add(ids);
  CopiesSource source({a, b});
  const at::Tensor logits = logits_of(model, source, batch);
  CHECK(difference_from_scalar(model, a, sequences, logits.narrow(0, 0, batch.rows())) < 1e-4);
  CHECK(difference_from_scalar(model, b, sequences, logits.narrow(0, batch.rows(), batch.rows())) <
        1e-4);
}

TEST_CASE("streams whose tokens differ give what each stream gives with its own") {
  const TwoLayers model;
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(model.declaration, 1),
                                                       parameters_of(model.declaration, 2)};
  const std::vector<std::int32_t> shared = {3, 1, 12};
  const Sequences generated = {{4, 0}, {9, 6}};
  PackedBatch batch;
  batch.add_each(generated);
  batch.add(shared);
  CopiesSource source(copies);
  const at::Tensor logits = logits_of(model, source, batch);
  for (std::size_t s = 0; s < 2; ++s)
    CHECK(difference_from_scalar(model, copies[s], {generated[s], shared},
                                 logits.narrow(0, static_cast<std::int64_t>(s) * 5, 5)) < 1e-4);
  CopiesSource three({copies[0], copies[1], copies[0]});
  CHECK_THROWS_AS(logits_of(model, three, batch), std::logic_error);
}

TEST_CASE("an attention that remembers gives token by token what a whole sequence gives") {
  const TwoLayers model;
  const auto copy = parameters_of(model.declaration, 1);
  const std::vector<std::int32_t> ids = {3, 1, 12, 0, 5, 5, 7};
  CopiesSource source({copy});
  Cache cache;
  std::vector<at::Tensor> rows;
  PackedBatch prompt;
  prompt.add(std::span(ids).first(3));
  rows.push_back(logits_of(model, source, prompt, &cache));
  for (std::size_t i = 3; i < ids.size(); ++i) {
    PackedBatch next;
    next.add(std::span(ids).subspan(i, 1), -1, static_cast<std::int64_t>(i));
    rows.push_back(logits_of(model, source, next, &cache));
  }
  CHECK(difference_from_scalar(model, copy, {ids}, at::cat(rows)) < 1e-4);
}

TEST_CASE("a forward of zeros tells layers, shapes and the order of parameters") {
  const TwoLayers model;
  const auto specs = model.declaration.parameters();
  const ForwardTrace trace = forward_trace(model, specs);
  CHECK(trace.layers == 2);
  REQUIRE(trace.attention.size() == 2);
  for (const AttentionShape& shape : trace.attention) {
    CHECK(shape.heads == heads);
    CHECK(shape.kv_heads == kv_heads);
    CHECK(shape.width == head_width);
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    CAPTURE(specs[i].name);
    const int expected = specs[i].name.starts_with("layers.")
                             ? specs[i].name[7] - '0'
                             : (specs[i].name == "tokens.weight" ? -1 : 2);
    CHECK(trace.layer[i] == expected);
  }
  std::vector<std::string> order;
  for (const Parameter p : trace.order)
    order.push_back(specs[static_cast<std::size_t>(p.index)].name);
  REQUIRE(order.size() == specs.size());
  CHECK(order.front() == "tokens.weight");
  CHECK(order.back() == "head.bias");
  const auto at = [&](const char* name) { return std::find(order.begin(), order.end(), name); };
  CHECK(at("layers.0.q.weight") < at("layers.0.o.weight"));
  CHECK(at("layers.0.shift") < at("layers.1.norm.weight"));
}

TEST_CASE("layers out of order are a model's mistake, and a parameter may be left unused") {
  struct Odd : Model {
    Declaration declaration;
    Embedding tokens = declaration.embedding("tokens", 3, 2);
    Parameter idle = declaration.vector("idle", 2);
    int first = 0;
    at::Tensor hidden(Ops& ops, const Batch& batch) const override {
      return ops.enter_layer(first, ops.embedding(tokens, batch.ids));
    }
    at::Tensor head(Ops&, const at::Tensor& rows) const override { return rows; }
  };
  Odd model;
  CHECK(forward_trace(model, model.declaration.parameters()).layer ==
        std::vector<int>{ForwardTrace::before_layers, ForwardTrace::not_used});
  model.first = 1;
  CHECK_THROWS_AS(forward_trace(model, model.declaration.parameters()), std::logic_error);
}

namespace {

// Not causal, and read from its own kind of file only.
struct Bidirectional : ModelFamily {
  explicit Bidirectional(const Parameters&) {}
  std::unique_ptr<Model> build(const ModelConfig&, Declaration& declare) const override {
    auto model = std::make_unique<TwoLayers>();
    declare = model->declaration;
    return model;
  }
  bool causal(const ModelConfig&) const override { return false; }
};

constexpr mezo_component bidirectional =
    component<Bidirectional, ModelFamily>(MEZO_MODEL, "bidirectional", "of a test");

}  // namespace

TEST_CASE("what a family says of itself reaches the network: causal or not, and its files") {
  const ModelConfig config = ModelConfig::from_json(R"({"vocab_size": 13})", "here");
  const BuiltModel built = build_model(config, {&bidirectional, nullptr});
  CHECK(!built.network.causal);
  CHECK(built.file_names(FileKind::safetensors).aliases.empty());
  CHECK_THROWS_WITH_AS(built.file_names(FileKind::gguf),
                       "[here] the bidirectional family cannot be read from GGUF files",
                       ModelError);
}
