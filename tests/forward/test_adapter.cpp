// What an adapter does to a forward, through StreamOps; how names are matched; the shapes of
// attention that a model is found to have.
#include <ATen/ops/bmm.h>
#include <doctest/doctest.h>

#include "core/error.h"
#include "core/forward/forward_trace.h"
#include "core/forward/stream_ops.h"
#include "core/model/name_pattern.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

constexpr std::int64_t width = 6, heads = 2;

// A layer, and what FakeAdapter adds to it.
struct TwoMaps : Model {
  Declaration declaration;
  Embedding embedding = declaration.embedding("embedding", 11, width);
  Linear first = declaration.linear("layer.first", width, width, true);
  Linear second = declaration.linear("layer.second", width, 4, false, Layout::in_out);
  Linear head_map = declaration.tied_head(embedding);
  Parameter factor = declaration.adapter("factor", {2});
  Parameter prefix = declaration.adapter("prefix", {3, heads, width / heads});

  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    const at::Tensor x = ops.linear(first, ops.embedding(embedding, batch.ids));
    const at::Tensor split = x.view({x.size(0), heads, width / heads});
    return ops.attention(0, split, split, split, {0.5, true, 0}).reshape(x.sizes());
  }
  at::Tensor head(Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(head_map, rows);
  }
};

// Adds factor[0] * sum(x) + factor[1] to every output of `first`, of each stream its own.
struct FakeAdapter : Adapter {
  const TwoMaps& model;
  explicit FakeAdapter(const TwoMaps& m) : model(m) {}

  std::vector<std::string> notes() const override { return {"fake"}; }
  void start(AdapterStart&) const override {}
  void linear(ParameterSource& source, const Linear& map, const at::Tensor& x,
              at::Tensor& y) const override {
    if (map.weight.index != model.first.weight.index) return;
    const at::Tensor f = source.whole(model.factor);
    const std::int64_t n = x.size(0) / source.streams();
    for (std::int64_t s = 0; s < f.size(0); ++s)
      y.narrow(0, s * n, n).add_(x.narrow(0, s * n, n).sum(1, true) * f[s][0]).add_(f[s][1]);
  }
  std::optional<KeysValues> prefix(ParameterSource& source, int) const override {
    const at::Tensor p = source.whole(model.prefix);
    return KeysValues{p, p.mul(2)};
  }
  std::int64_t position_shift() const override { return 3; }
};

Component nobody() { return {}; }

at::Tensor hidden_of(const TwoMaps& model, std::vector<std::vector<at::Tensor>> copies,
                     const PackedBatch& batch, const AttachedAdapter* adapter) {
  CopiesSource source(std::move(copies));
  StreamOps ops(source, batch, adapter);
  return model.hidden(ops, ops.batch());
}

}  // namespace

TEST_CASE("an adapter changes each stream by that stream's own tensors") {
  const TwoMaps model;
  const AttachedAdapter adapter{std::make_shared<FakeAdapter>(model), nobody()};
  PackedBatch batch;
  batch.add(tokens(1, 4));
  batch.add(tokens(3, 2));
  const auto a = parameters_of(model.declaration, 1), b = parameters_of(model.declaration, 2);
  const at::Tensor both = hidden_of(model, {a, b}, batch, &adapter);
  const at::Tensor first = hidden_of(model, {a}, batch, &adapter),
                   second = hidden_of(model, {b}, batch, &adapter);
  CHECK(difference(both.narrow(0, 0, 6), first) < 1e-6);
  CHECK(difference(both.narrow(0, 6, 6), second) < 1e-6);
  CHECK(difference(first, hidden_of(model, {a}, batch, nullptr)) > 1e-3);
}

TEST_CASE("a map with an adapter is the base's output and what is added to it") {
  const TwoMaps model;
  const AttachedAdapter adapter{std::make_shared<FakeAdapter>(model), nobody()};
  PackedBatch batch;
  batch.add(tokens(1, 4));
  const auto copy = parameters_of(model.declaration, 1);
  const at::Tensor x = numbers({4, width}, 9);
  CopiesSource source({copy}), same({copy});
  StreamOps with(source, batch, &adapter), without(same, batch);
  const at::Tensor& f = copy[static_cast<std::size_t>(model.factor.index)];
  CHECK(difference(with.linear(model.first, x),
                   without.linear(model.first, x) + x.sum(1, true) * f[0] + f[1]) < 1e-5);
  CHECK(difference(with.linear(model.second, x), without.linear(model.second, x)) == 0);
  CHECK(with.batch().positions.equal(without.batch().positions + 3));
}

TEST_CASE("a prefix that does not fit its layer is the plugin's fault, and is not read") {
  struct Unfit : FakeAdapter {
    KeysValues own;
    Unfit(const TwoMaps& m, KeysValues o) : FakeAdapter(m), own(std::move(o)) {}
    std::optional<KeysValues> prefix(ParameterSource&, int) const override { return own; }
  };
  const TwoMaps model;
  PackedBatch batch;
  batch.add(tokens(1, 2));
  const auto copy = parameters_of(model.declaration, 1);
  const auto run = [&](const at::Tensor& keys, const at::Tensor& values) {
    const AttachedAdapter adapter{std::make_shared<Unfit>(model, KeysValues{keys, values}),
                                  nobody()};
    hidden_of(model, {copy, copy}, batch, &adapter);
  };
  const auto sized = [](std::initializer_list<std::int64_t> shape) { return numbers(shape, 5); };
  CHECK_NOTHROW(run(sized({2, 3, heads, 3}), sized({1, 3, heads, 3})));
  CHECK_THROWS_AS(run(sized({3, 3, heads, 3}), sized({3, 3, heads, 3})), PluginError);  // streams
  CHECK_THROWS_AS(run(sized({1, 3, heads, 3}), sized({1, 4, heads, 3})), PluginError);  // length
  CHECK_THROWS_AS(run(sized({1, 3, 1, 3}), sized({1, 3, 1, 3})), PluginError);          // heads
  CHECK_THROWS_AS(run(sized({1, 3, heads, 6}), sized({1, 3, heads, 6})), PluginError);  // width
  CHECK_THROWS_AS(run(sized({3, heads, 3}), sized({3, heads, 3})), PluginError);
  const at::Tensor half = sized({1, 3, heads, 3}).to(at::kHalf);
  CHECK_THROWS_AS(run(half, half), PluginError);
}

TEST_CASE("a vocabulary head is not the adapter's") {
  struct Watch : FakeAdapter {
    using FakeAdapter::FakeAdapter;
    void linear(ParameterSource&, const Linear& map, const at::Tensor&,
                at::Tensor&) const override {
      CHECK(!map.vocabulary);
    }
  };
  const TwoMaps model;
  const AttachedAdapter adapter{std::make_shared<Watch>(model), nobody()};
  PackedBatch batch;
  batch.add(tokens(1, 2));
  CopiesSource source({parameters_of(model.declaration, 1)});
  StreamOps ops(source, batch, &adapter);
  model.head(ops, numbers({2, width}, 3));
}

TEST_CASE("the shapes of attention are those that the layers ask for") {
  struct Layers : Model {
    Declaration declaration;
    Embedding embedding = declaration.embedding("embedding", 11, 12);
    Linear k = declaration.linear("k", 12, 8, true, Layout::in_out);
    at::Tensor hidden(Ops& ops, const Batch& batch) const override {
      const at::Tensor x = ops.embedding(embedding, batch.ids);
      const at::Tensor kv = ops.linear(k, x);
      ops.attention(0, x.view({-1, 6, 2}), kv.narrow(1, 0, 2).view({-1, 1, 2}),
                    kv.narrow(1, 0, 2).view({-1, 1, 2}), {});
      ops.attention(1, x.view({-1, 3, 4}), kv.view({-1, 2, 4}), kv.view({-1, 2, 4}), {});
      return x;
    }
    at::Tensor head(Ops&, const at::Tensor& rows) const override { return rows; }
  };
  const Layers model;
  const auto shapes = forward_trace(model, model.declaration.parameters()).attention;
  REQUIRE(shapes.size() == 2);
  CHECK(shapes[0].heads == 6);
  CHECK(shapes[0].kv_heads == 1);
  CHECK(shapes[0].width == 2);
  CHECK(shapes[1].heads == 3);
  CHECK(shapes[1].kv_heads == 2);
  CHECK(shapes[1].width == 4);
}

TEST_CASE("names match whole patterns, and modules also by their last parts") {
  CHECK(matches("*", ""));
  CHECK(matches("*.q_proj.*", "model.layers.0.self_attn.q_proj.weight"));
  CHECK(matches("a*b*c", "a-b-b-c"));
  CHECK(!matches("a*b", "a-b-c"));
  CHECK(!matches("q_proj", "layer.q_proj"));
  CHECK(matches_module("q_proj", "layer.q_proj"));
  CHECK(matches_module("q_proj", "q_proj"));
  CHECK(matches_module("layer.q_proj", "a.layer.q_proj"));
  CHECK(matches_module("*.3.*q_proj", "layers.3.attn.q_proj"));
  CHECK(!matches_module("proj", "layer.q_proj"));
  CHECK(!matches_module("*.3.*q_proj", "layers.13.attn.q_proj"));
  CHECK(!matches_module("q_proj", "layer.q_proj.inner"));
}
