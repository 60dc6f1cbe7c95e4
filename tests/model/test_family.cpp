// A family written against Ops alone, with what the families to come need: rotary positions of two
// bases and of a part of each head, a norm of each head, a window in one layer, vectors, a tied
// head with a bias. Compared with the same model one number at a time.
#include <ATen/ops/silu.h>
#include <doctest/doctest.h>

#include "core/error.h"
#include "core/forward/forward_trace.h"
#include "core/forward/stream_ops.h"
#include "core/model/model.h"
#include "toy.h"

using namespace mezo;

namespace {

constexpr std::int64_t vocabulary = 13, hidden_width = 10, heads = 4, kv_heads = 2, head_width = 6;
constexpr double epsilon = 1e-3;

struct Layer {
  Norm norm, q_norm, k_norm;
  Linear q, k, v, o;
  Parameter gain, shift;
  Rotary rotary;
  std::int64_t window = 0;
};

struct TwoLayers : Model {
  Declaration declaration;
  Embedding tokens = declaration.embedding("tokens", vocabulary, hidden_width);
  std::vector<Layer> layers;
  Linear logits = declaration.tied_head(tokens, "head.bias");

  TwoLayers() {
    const Rotary local{rotary_frequencies(4, 10.0)}, global{rotary_frequencies(6, 100.0)};
    for (const auto& [rotary, window] : {std::pair{local, 3}, {global, 0}}) {
      const std::string at = "layers." + std::to_string(layers.size()) + ".";
      Layer l;
      l.norm = declaration.layer_norm(at + "norm", hidden_width);
      l.q_norm = declaration.rms_norm(at + "q_norm", head_width);
      l.k_norm = declaration.rms_norm(at + "k_norm", head_width);
      l.q = declaration.linear(at + "q", hidden_width, heads * head_width, false);
      l.k = declaration.linear(at + "k", hidden_width, kv_heads * head_width, true);
      l.v = declaration.linear(at + "v", hidden_width, kv_heads * head_width, false);
      l.o = declaration.linear(at + "o", heads * head_width, hidden_width, true, Layout::in_out);
      l.gain = declaration.vector(at + "gain", hidden_width);
      l.shift = declaration.vector(at + "shift", hidden_width);
      l.rotary = rotary;
      l.window = window;
      layers.push_back(l);
    }
  }

  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    at::Tensor x = ops.embedding(tokens, batch.ids);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const Layer& l = layers[i];
      x = ops.enter_layer(static_cast<int>(i), x);
      const at::Tensor h = ops.layer_norm(l.norm, x, epsilon);
      const auto split = [&](const Linear& map, std::int64_t n) {
        return ops.linear(map, h).view({-1, n, head_width});
      };
      const at::Tensor q = ops.rope(ops.rms_norm(l.q_norm, split(l.q, heads), epsilon), l.rotary),
                       k = ops.rope(ops.rms_norm(l.k_norm, split(l.k, kv_heads), epsilon),
                                    l.rotary);
      const at::Tensor seen =
          ops.attention(static_cast<int>(i), q, k, split(l.v, kv_heads), {0.4, true, l.window});
      x = x + ops.linear(l.o, seen.reshape({-1, heads * head_width}));
      x = ops.add(l.shift, ops.scale(l.gain, x));
    }
    return x;
  }
  at::Tensor head(Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(logits, rows);
  }
};

// The same for one sequence, without a tensor operation.
class Scalar {
 public:
  using Row = std::vector<double>;

  Scalar(const TwoLayers& model, const std::vector<at::Tensor>& copy)
      : model_(model), copy_(copy) {}

  std::vector<Row> logits(const std::vector<std::int32_t>& ids) const {
    std::vector<Row> x;
    const Row table = of(model_.tokens.weight);
    for (const std::int32_t id : ids)
      x.emplace_back(table.begin() + id * hidden_width, table.begin() + (id + 1) * hidden_width);
    for (const Layer& l : model_.layers) x = layer(l, x);
    std::vector<Row> out;
    const Row bias = of(model_.logits.bias);
    for (const Row& row : x) {
      out.emplace_back(bias);
      for (std::size_t e = 0; e < bias.size(); ++e)
        for (std::size_t d = 0; d < row.size(); ++d)
          out.back()[e] += row[d] * table[e * row.size() + d];
    }
    return out;
  }

 private:
  Row of(Parameter p) const {
    const at::Tensor t = copy_[static_cast<std::size_t>(p.index)].contiguous();
    return {t.const_data_ptr<float>(), t.const_data_ptr<float>() + t.numel()};
  }
  Row linear(const Linear& map, const Row& x) const {
    const Row w = of(map.weight);
    const std::size_t out = w.size() / x.size();
    Row y = map.bias ? of(map.bias) : Row(out);
    for (std::size_t o = 0; o < out; ++o)
      for (std::size_t i = 0; i < x.size(); ++i)
        y[o] += x[i] * (map.layout == Layout::out_in ? w[o * x.size() + i] : w[i * out + o]);
    return y;
  }
  Row normed(const Norm& norm, Row x) const {
    const Row gain = of(norm.gain), bias = norm.bias ? of(norm.bias) : Row(x.size());
    const auto n = static_cast<double>(x.size());
    double mean = 0, squares = 0;
    if (norm.bias)
      for (const double v : x) mean += v / n;
    for (const double v : x) squares += (v - mean) * (v - mean) / n;
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = (x[i] - mean) / std::sqrt(squares + epsilon) * gain[i] + bias[i];
    return x;
  }
  // A norm and a rotation of each head.
  Row turned(const Layer& l, const Norm& norm, const Row& x, std::size_t position) const {
    Row all;
    for (std::size_t h = 0; h < x.size() / head_width; ++h) {
      const auto from = x.begin() + static_cast<std::ptrdiff_t>(h * head_width);
      const Row before = normed(norm, Row(from, from + head_width));
      Row head = before;
      const std::size_t pairs = l.rotary.frequencies.size();
      for (std::size_t i = 0; i < pairs; ++i) {
        const double angle = static_cast<double>(position) * double{l.rotary.frequencies[i]};
        head[i] = before[i] * std::cos(angle) - before[i + pairs] * std::sin(angle);
        head[i + pairs] = before[i + pairs] * std::cos(angle) + before[i] * std::sin(angle);
      }
      all.insert(all.end(), head.begin(), head.end());
    }
    return all;
  }
  std::vector<Row> layer(const Layer& l, const std::vector<Row>& x) const {
    std::vector<Row> q, k, v, out;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Row h = normed(l.norm, x[i]);
      q.push_back(turned(l, l.q_norm, linear(l.q, h), i));
      k.push_back(turned(l, l.k_norm, linear(l.k, h), i));
      v.push_back(linear(l.v, h));
    }
    const Row gain = of(l.gain), shift = of(l.shift);
    for (std::size_t i = 0; i < x.size(); ++i) {
      Row seen(heads * head_width);
      const std::size_t first = l.window > 0 && i + 1 > static_cast<std::size_t>(l.window)
                                    ? i + 1 - static_cast<std::size_t>(l.window)
                                    : 0;
      for (std::size_t h = 0; h < heads; ++h) {
        const std::size_t own = h / (heads / kv_heads) * head_width;
        double total = 0;
        for (std::size_t j = first; j <= i; ++j) {
          double score = 0;
          for (std::size_t d = 0; d < head_width; ++d)
            score += 0.4 * q[i][h * head_width + d] * k[j][own + d];
          total += std::exp(score);
          for (std::size_t d = 0; d < head_width; ++d)
            seen[h * head_width + d] += std::exp(score) * v[j][own + d];
        }
        for (std::size_t d = 0; d < head_width; ++d) seen[h * head_width + d] /= total;
      }
      Row y = linear(l.o, seen);
      for (std::size_t d = 0; d < y.size(); ++d) y[d] = (y[d] + x[i][d]) * gain[d] + shift[d];
      out.push_back(y);
    }
    return out;
  }

  const TwoLayers& model_;
  const std::vector<at::Tensor>& copy_;
};

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
