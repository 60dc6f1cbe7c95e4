#pragma once
// A model written against Ops alone, with what the families to come need: rotary positions of two
// bases and of a part of each head, a norm of each head, a window in one layer, vectors, a tied
// head with a bias; and the same model one number at a time. Include it in one file.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model.h"
#include "toy.h"

namespace mezo {

constexpr std::int64_t vocabulary = 13, width = 10, heads = 4, kv_heads = 2, head_width = 6;
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
  Embedding tokens = declaration.embedding("tokens", vocabulary, width);
  std::vector<Layer> layers;
  Linear logits = declaration.tied_head(tokens, "head.bias");

  TwoLayers() {
    const Rotary local{rotary_frequencies(4, 10.0)}, global{rotary_frequencies(6, 100.0)};
    for (const auto& [rotary, window] : {std::pair{local, 3}, {global, 0}}) {
      const std::string at = "layers." + std::to_string(layers.size()) + ".";
      Layer l;
      l.norm = declaration.layer_norm(at + "norm", width);
      l.q_norm = declaration.rms_norm(at + "q_norm", head_width);
      l.k_norm = declaration.rms_norm(at + "k_norm", head_width);
      l.q = declaration.linear(at + "q", width, heads * head_width, false);
      l.k = declaration.linear(at + "k", width, kv_heads * head_width, true);
      l.v = declaration.linear(at + "v", width, kv_heads * head_width, false);
      l.o = declaration.linear(at + "o", heads * head_width, width, true, Layout::in_out);
      l.gain = declaration.vector(at + "gain", width);
      l.shift = declaration.vector(at + "shift", width);
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
      x.emplace_back(table.begin() + id * width, table.begin() + (id + 1) * width);
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

}  // namespace mezo
