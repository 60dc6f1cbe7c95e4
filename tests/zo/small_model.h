#pragma once
// A model with a part of every kind (embedding, norms, attention, a feed-forward map, a tied head)
// on random weights, and the losses of a batch on it. Used by the tests of whole steps.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/silu.h>
#include <doctest/doctest.h>

#include "core/forward/stream_ops.h"
#include "core/model/model.h"
#include "kernel_cases.h"
#include "spsa_step.h"

// c10's logging takes the name for itself, and would end the program; include this header last.
#undef CHECK
#define CHECK DOCTEST_CHECK

namespace mezo {

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
  // step: [S].
  at::Tensor loss(ParameterSource& source, std::uint32_t step) const {
    PackedBatch batch;
    const auto token = [step](std::uint32_t i) {
      return static_cast<std::int32_t>((step * 3 + i * 5) % entries);
    };
    const std::vector<std::int32_t> a{token(0), token(1), token(2)}, b{token(3), token(1)};
    batch.add(a);
    batch.add(b);
    StreamOps ops(source, batch);
    const at::Tensor hidden = model.hidden(ops, ops.batch());
    return -at::log_softmax(model.head(ops, hidden), -1)
                .select(1, token(7))
                .view({ops.streams(), -1})
                .mean({1});
  }
  std::vector<double> losses(ParameterSource& source, std::uint32_t step) const {
    const at::NoGradGuard no_grad;
    const at::Tensor values = loss(source, step).to(at::kDouble).contiguous();
    return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
  }

  StepResult step(std::uint32_t i, const SpsaOptions& options, double learning_rate) {
    return spsa_step(weights, options, i, learning_rate,
                     [&](ParameterSource& s) { return losses(s, i); });
  }
  StepResult step(std::uint32_t i, int probes, double learning_rate, double weight_decay) {
    return step(i, {1e-3f, probes, weight_decay}, learning_rate);
  }

  std::vector<std::vector<float>> values() {
    std::vector<std::vector<float>> all;
    for (int i = 0; i < static_cast<int>(store.specs().size()); ++i)
      all.push_back({store.data({i}), store.data({i}) + store.spec({i}).elements()});
    return all;
  }
};

}  // namespace mezo
