#include <doctest/doctest.h>

#include "core/forward/stream_ops.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

constexpr std::int64_t width = 6, entries = 11;

// One parameter of every kind.
struct Parts {
  Declaration declaration;
  Embedding embedding = declaration.embedding("embedding", entries, width);
  Linear plain = declaration.linear("plain", width, 4, false);
  Linear biased = declaration.linear("biased", width, 4, true);
  Linear turned = declaration.linear("turned", width, 4, true, Layout::in_out);
  Norm rms = declaration.rms_norm("rms", width);
  Norm less_one = declaration.rms_norm("less_one", width, 1);
  Norm layer = declaration.layer_norm("layer", width);
  Linear head = declaration.vocabulary_head("head", width, entries, true);
  Linear tied = declaration.tied_head(embedding);
  Linear tied_biased = declaration.tied_head(embedding, "head_of_masked.bias");
  Norm head_rms = declaration.rms_norm("head_rms", width / 2);
  Norm head_layer = declaration.layer_norm("head_layer", width / 2);
  Parameter vector = declaration.vector("vector", width / 2);
};

PackedBatch batch_of(std::vector<std::int32_t> ids) {
  PackedBatch batch;
  batch.add(ids);
  return batch;
}

at::Tensor index(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

// y = W x + b, one number at a time.
at::Tensor plain_linear(const Linear& map, const std::vector<at::Tensor>& p, const at::Tensor& x) {
  const at::Tensor& w = p[static_cast<std::size_t>(map.weight.index)];
  const bool turned = map.layout == Layout::in_out;
  const auto W = w.accessor<float, 2>(), X = x.accessor<float, 2>();
  at::Tensor y = at::empty({x.size(0), w.size(turned ? 1 : 0)}, at::kFloat);
  for (std::int64_t r = 0; r < y.size(0); ++r)
    for (std::int64_t o = 0; o < y.size(1); ++o) {
      double sum = map.bias ? p[static_cast<std::size_t>(map.bias.index)][o].item<double>() : 0.0;
      for (std::int64_t i = 0; i < x.size(1); ++i)
        sum += double{X[r][i]} * (turned ? W[i][o] : W[o][i]);
      y[r][o] = sum;
    }
  return y;
}

// (x - mean) / sqrt(variance + epsilon) * gain + bias; for RMSNorm neither mean nor bias.
at::Tensor plain_norm(const Norm& norm, const std::vector<at::Tensor>& p, const at::Tensor& x,
                      double epsilon) {
  at::Tensor y = at::empty(x.sizes(), at::kFloat);
  for (std::int64_t r = 0; r < x.size(0); ++r) {
    double mean = 0, square = 0;
    for (std::int64_t i = 0; norm.bias && i < x.size(1); ++i)
      mean += x[r][i].item<double>() / static_cast<double>(x.size(1));
    for (std::int64_t i = 0; i < x.size(1); ++i)
      square += std::pow(x[r][i].item<double>() - mean, 2) / static_cast<double>(x.size(1));
    for (std::int64_t i = 0; i < x.size(1); ++i)
      y[r][i] = (x[r][i].item<double>() - mean) / std::sqrt(square + epsilon) *
                    (norm.offset + p[static_cast<std::size_t>(norm.gain.index)][i].item<double>()) +
                (norm.bias ? p[static_cast<std::size_t>(norm.bias.index)][i].item<double>() : 0.0);
  }
  return y;
}

// Runs `call(ops)` on streams of the given copies.
template <class Call>
at::Tensor with(std::vector<std::vector<at::Tensor>> copies, const PackedBatch& batch,
                Call&& call) {
  CopiesSource source(std::move(copies));
  StreamOps ops(source, batch);
  return call(ops);
}

}  // namespace

TEST_CASE("each stream gives what scalar code gives with its copy of the parameters") {
  const Parts parts;
  const PackedBatch batch = batch_of({3, 0, 3, 10, 7});
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(parts.declaration, 1),
                                                       parameters_of(parts.declaration, 2)};
  const at::Tensor x = numbers({2 * batch.rows(), width}, 77);
  const double epsilon = 1e-2;
  const auto check = [&](const char* what, auto&& call, auto&& plain) {
    CAPTURE(what);
    const at::Tensor both = with(copies, batch, [&](StreamOps& ops) { return call(ops, x); });
    for (std::int64_t s = 0; s < 2; ++s) {
      const at::Tensor own = x.narrow(0, s * batch.rows(), batch.rows());
      const auto& copy = copies[static_cast<std::size_t>(s)];
      const at::Tensor alone = with({copy}, batch, [&](StreamOps& ops) { return call(ops, own); });
      CHECK(difference(alone, plain(copy, own)) < 1e-5);
      CHECK(difference(both.narrow(0, s * batch.rows(), batch.rows()), alone) < 1e-6);
    }
  };
  for (const Linear* map :
       {&parts.plain, &parts.biased, &parts.turned, &parts.head, &parts.tied, &parts.tied_biased})
    check(
        "linear", [&](StreamOps& ops, const at::Tensor& y) { return ops.linear(*map, y); },
        [&](const auto& p, const at::Tensor& y) { return plain_linear(*map, p, y); });
  for (const Norm* norm : {&parts.rms, &parts.less_one})
    check(
        "rms_norm",
        [&](StreamOps& ops, const at::Tensor& y) { return ops.rms_norm(*norm, y, epsilon); },
        [&](const auto& p, const at::Tensor& y) { return plain_norm(*norm, p, y, epsilon); });
  check(
      "layer_norm",
      [&](StreamOps& ops, const at::Tensor& y) { return ops.layer_norm(parts.layer, y, epsilon); },
      [&](const auto& p, const at::Tensor& y) { return plain_norm(parts.layer, p, y, epsilon); });
  // Of each of two heads, as [R, 2, d] and as [R * 2, d]: the rows of a stream lie together in
  // both.
  for (const bool apart : {true, false}) {
    const auto heads = [&](const at::Tensor& y) {
      return apart ? y.view({-1, 2, width / 2}) : y.view({-1, width / 2});
    };
    const auto rows = [](const at::Tensor& y) { return y.reshape({-1, width}); };
    const auto halves = [&](const at::Tensor& y) { return y.reshape({-1, width / 2}); };
    check(
        "rms_norm of heads",
        [&](StreamOps& ops, const at::Tensor& y) {
          return rows(ops.rms_norm(parts.head_rms, heads(y), epsilon));
        },
        [&](const auto& p, const at::Tensor& y) {
          return rows(plain_norm(parts.head_rms, p, halves(y), epsilon));
        });
    check(
        "layer_norm of heads",
        [&](StreamOps& ops, const at::Tensor& y) {
          return rows(ops.layer_norm(parts.head_layer, heads(y), epsilon));
        },
        [&](const auto& p, const at::Tensor& y) {
          return rows(plain_norm(parts.head_layer, p, halves(y), epsilon));
        });
    const auto vector_of = [&](const auto& p) {
      return p[static_cast<std::size_t>(parts.vector.index)];
    };
    check(
        "add",
        [&](StreamOps& ops, const at::Tensor& y) { return rows(ops.add(parts.vector, heads(y))); },
        [&](const auto& p, const at::Tensor& y) { return rows(halves(y) + vector_of(p)); });
    check(
        "scale",
        [&](StreamOps& ops, const at::Tensor& y) {
          return rows(ops.scale(parts.vector, heads(y)));
        },
        [&](const auto& p, const at::Tensor& y) { return rows(halves(y) * vector_of(p)); });
  }
  check(
      "embedding",
      [&](StreamOps& ops, const at::Tensor&) {
        return ops.embedding(parts.embedding, ops.batch().ids);
      },
      [&](const auto& p, const at::Tensor&) {
        return p[static_cast<std::size_t>(parts.embedding.weight.index)].index_select(
            0, index({3, 0, 3, 10, 7}));
      });
}

TEST_CASE("a map that ends in an activation gives what map and activation give") {
  const Parts parts;
  const auto halved = [](const at::Tensor& x) { return x / 2; };
  const Activation relu{[](const at::Tensor&x) { return x.clamp_min(0); }, true}, half{halved};
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(parts.declaration, 1),
                                                       parameters_of(parts.declaration, 2)};
  const PackedBatch batch = batch_of({3, 0, 7});
  const at::Tensor x = numbers({6, width}, 8);
  for (const Linear* map : {&parts.plain, &parts.biased, &parts.turned})
    for (const Activation& f : {relu, half}) {
      const auto apart =
          with(copies, batch, [&](StreamOps& ops) { return f(ops.linear(*map, x)); });
      const auto together =
          with(copies, batch, [&](StreamOps& ops) { return ops.activated(*map, x, f); });
      CHECK(difference(apart, together) == 0);
      CHECK(together.lt(0).any().item<bool>() == !f.is_relu);
    }
}

TEST_CASE("rows that nothing reads are left out, and the others see what they saw") {
  const Parts parts;
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(parts.declaration, 1),
                                                       parameters_of(parts.declaration, 2)};
  PackedBatch batch = batch_of({3, 0, 7, 1});
  batch.add(tokens(8, 2), 0);  // follows the first
  batch.add(tokens(2, 3));
  const std::int64_t all = batch.rows(), width_of_heads = width / 2;
  const at::Tensor x = numbers({2 * all, 2, width_of_heads}, 3), k = numbers(x.sizes().vec(), 4),
                   v = numbers(x.sizes().vec(), 5);
  const Rotary rotary{.frequencies = {0.5f}};
  const AttentionOptions options{.scale = 0.7};
  const std::vector<std::int64_t> read = {8, 3, 5};
  const at::Tensor places = index({8, 3, 5, all + 8, all + 3, all + 5});
  const auto attended = [&](StreamOps& ops, const at::Tensor& q) {
    return ops.attention(0, ops.rope(q, rotary), ops.rope(k, rotary), v, options);
  };
  const at::Tensor whole = with(copies, batch, [&](StreamOps& ops) {
    CHECK(ops.still_read(x).equal(x));
    CHECK_FALSE(ops.left_rows_out());
    return attended(ops, x);
  });
  const at::Tensor some = with(copies, batch, [&](StreamOps& ops) {
    ops.read_only(read);
    CHECK_FALSE(ops.left_rows_out());
    const at::Tensor q = ops.still_read(x);
    CHECK(q.equal(x.index_select(0, places)));
    CHECK(ops.left_rows_out());
    return attended(ops, q);
  });
  CHECK(difference(some, whole.index_select(0, places)) < 1e-6);
}

TEST_CASE("a batch is repeated for each stream") {
  const Parts parts;
  CopiesSource source({parameters_of(parts.declaration, 1), parameters_of(parts.declaration, 2)});
  PackedBatch batch = batch_of({3, 5});
  batch.add(tokens(8, 1), 0);
  const StreamOps ops(source, batch);
  CHECK(ops.streams() == 2);
  CHECK(ops.batch().ids.equal(index({3, 5, 8, 3, 5, 8})));
  CHECK(ops.batch().positions.equal(index({0, 1, 2, 0, 1, 2})));
}

TEST_CASE("an embedding asks for the rows of one stream, which serve all") {
  const Parts parts;
  CopiesSource source({parameters_of(parts.declaration, 1), parameters_of(parts.declaration, 2)});
  const PackedBatch batch = batch_of({3, 0, 3, 3, 0});
  StreamOps ops(source, batch);
  ops.embedding(parts.embedding, ops.batch().ids);
  CHECK(source.asked_rows == 5);
}

TEST_CASE("a head of selected entries gives those columns and reads those rows only") {
  const Parts parts;
  const at::Tensor chosen = index({1, 4, 10});
  for (const Linear* head : {&parts.head, &parts.tied, &parts.tied_biased}) {
    CopiesSource source({parameters_of(parts.declaration, 1), parameters_of(parts.declaration, 2)});
    const PackedBatch batch = batch_of({1, 2});
    StreamOps ops(source, batch);
    const at::Tensor x = numbers({4, width}, 5);
    const at::Tensor all = ops.linear(*head, x), other = ops.linear(parts.biased, x);
    CHECK(all.size(1) == entries);
    CHECK(source.asked_rows == 0);
    ops.select_vocabulary(chosen);
    CHECK(difference(ops.linear(*head, x), all.index_select(1, chosen)) < 1e-6);
    CHECK(source.asked_rows == chosen.numel());
    CHECK(difference(ops.linear(parts.biased, x), other) == 0);  // not a vocabulary head
  }
}

TEST_CASE("streams that share a parameter give what a copy for each would") {
  class Shared : public CopiesSource {
   public:
    using CopiesSource::CopiesSource;
    int streams() const override { return 2; }
  };
  const Parts parts;
  const auto copy = parameters_of(parts.declaration, 1);
  const PackedBatch batch = batch_of({3, 0, 7});
  const at::Tensor x = numbers({6, width}, 9);
  Shared shared({copy});
  CopiesSource twice({copy, copy});
  StreamOps a(shared, batch), b(twice, batch);
  CHECK(difference(a.linear(parts.biased, x), b.linear(parts.biased, x)) == 0);
  CHECK(difference(a.layer_norm(parts.layer, x, 1e-5), b.layer_norm(parts.layer, x, 1e-5)) == 0);
  CHECK(difference(a.rms_norm(parts.rms, x, 1e-5), b.rms_norm(parts.rms, x, 1e-5)) == 0);
  CHECK(difference(a.embedding(parts.embedding, a.batch().ids),
                   b.embedding(parts.embedding, b.batch().ids)) == 0);
}

TEST_CASE("a name is declared once") {
  Declaration declaration;
  declaration.rms_norm("norm", 3);
  CHECK_THROWS_AS(declaration.layer_norm("norm", 3), std::logic_error);
}
