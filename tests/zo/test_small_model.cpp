// Whole steps on a small model through the Ops that training uses: embedding, norms, attention, a
// feed-forward map, a tied head.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/silu.h>
#include <doctest/doctest.h>

#include "core/model/model.h"
#include "core/model/stream_ops.h"
#include "core/zo/spsa.h"
#include "kernel_cases.h"

using namespace mezo;

namespace {

constexpr std::int64_t entries = 29, width = 12;

struct SmallModel : Model {
  Declaration declaration;
  Embedding embedding = declaration.embedding("embed", entries, width);
  Norm first = declaration.layer_norm("first", width);
  Linear q = declaration.linear("q", width, width, true),
         k = declaration.linear("k", width, width, true);
  Linear v = declaration.linear("v", width, width, true, Layout::in_out),
         up = declaration.linear("up", width, 31, false);
  Linear down = declaration.linear("down", 31, width, true);
  Norm last = declaration.rms_norm("last", width);
  Linear logits = declaration.tied_head(embedding);

  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    at::Tensor x = ops.enter_layer(0, ops.embedding(embedding, batch.ids));
    const at::Tensor h = ops.layer_norm(first, x, 1e-5);
    const auto heads = [&](const Linear& map) {
      return ops.linear(map, h).view({-1, 2, width / 2});
    };
    x = x + ops.attention(0, heads(q), heads(k), heads(v), {0.4, true, 0}).reshape({-1, width});
    x = x + ops.linear(down, at::silu(ops.linear(up, x)));
    return ops.rms_norm(last, x, 1e-5);
  }
  at::Tensor head(Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(logits, rows);
  }
};

struct Training {
  SmallModel model;
  ParameterStore store{model.declaration.parameters()};
  ExactWeights weights{store, std::vector<bool>(store.specs().size(), true), {5}};

  Training() {
    for (int i = 0; i < static_cast<int>(store.specs().size()); ++i)
      fill_reference(Distribution::gaussian, {philox_key(1, store.spec({i}).name), 0, 0}, 0,
                              store.spec({i}).elements(), store.data({i}));
  }

  // Mean of minus the log-probability of a token after each of two sequences that change with the
  // step.
  std::vector<double> losses(ParameterSource& source, std::uint32_t step) const {
    const at::NoGradGuard no_grad;
    PackedBatch batch;
    const auto token = [step](std::uint32_t i) {
      return static_cast<std::int32_t>((step * 3 + i * 5) % entries);
    };
    const std::vector<std::int32_t> a{token(0), token(1), token(2)}, b{token(3), token(1)};
    batch.add(a);
    batch.add(b);
    StreamOps ops(source, batch);
    const at::Tensor hidden = model.hidden(ops, ops.batch());
    const at::Tensor scores = at::log_softmax(model.head(ops, hidden), -1)
                                  .select(1, token(7))
                                  .view({ops.streams(), -1})
                                  .mean({1});
    return {-scores[0].item<double>(), -scores[ops.streams() - 1].item<double>()};
  }

  SpsaStep step(std::uint32_t i, int probes, double learning_rate, double weight_decay) {
    return spsa_step(weights, {1e-3f, probes, weight_decay}, i, learning_rate,
                     [&](ParameterSource& s) { return losses(s, i); });
  }

  std::vector<std::vector<float>> values() {
    std::vector<std::vector<float>> all;
    for (int i = 0; i < static_cast<int>(store.specs().size()); ++i)
      all.push_back({store.data({i}), store.data({i}) + store.spec({i}).elements()});
    return all;
  }
};

}  // namespace

TEST_CASE("fifty steps with learning rate zero leave every byte of a model as it was") {
  Training t;
  const auto before = t.values();
  for (std::uint32_t i = 0; i < 50; ++i) {
    const SpsaStep step = t.step(i, 1 + static_cast<int>(i % 2), 0.0, 0.1);
    REQUIRE(step.applied);
    REQUIRE(step.projected_gradients[0] != 0);
  }
  t.weights.settle();
  const auto after = t.values();
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(same_bytes(before[i], after[i]));
}

TEST_CASE("steps of a model are the pushed updates, wherever and whenever they were applied") {
  Training t;
  auto expected = t.values();
  for (std::uint32_t i = 0; i < 70; ++i) {
    const SpsaStep step = t.step(i, 2, 1e-4, 0.1);
    OwnedUpdate update{i, static_cast<float>(1e-4 * 0.1), {}};
    for (const float g : step.projected_gradients)
      update.coefficients.push_back(static_cast<float>(1e-4 * double{g} / 2));
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const ParameterSpec& spec = t.store.specs()[k];
      Update view = update.view();
      if (spec.role == Role::vector) view.decay = 0;
      advance_reference(expected[k].data(), spec.elements(), 0, philox_key(5, spec.name), {view});
    }
  }
  t.weights.settle();
  const auto after = t.values();
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(t.store.specs()[k].name);
    CHECK(same_bytes(expected[k], after[k]));
  }
}

TEST_CASE(
    "the projected gradient of a model is its loss's slope, and the stored weights give the loss "
    "between") {
  Training t;
  StoredSource stored(t.store);
  const double loss = t.losses(stored, 3)[0];
  const SpsaStep step = t.step(3, 1, 0.0, 0.0);
  CHECK(step.loss == doctest::Approx(loss).epsilon(1e-3));
  // The same slope with an epsilon four times as large: they differ by its square only.
  t.weights.perturb(3, {{0, 4e-3f}, {0, -4e-3f}});
  const auto wide = t.losses(t.weights, 3);
  CHECK((wide[0] - wide[1]) / 8e-3 ==
        doctest::Approx(double{step.projected_gradients[0]}).epsilon(0.02));
}
