#include <doctest/doctest.h>

#include "core/error.h"
#include "core/forward/packed_attention.h"
#include "core/forward/packed_batch.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

// Whether a row sees another: both of one sequence (its own piece or its parent), by position.
bool sees(const PackedBatch& batch, std::int64_t query, std::int64_t key,
          const AttentionOptions& o) {
  const auto segment_of = [&](std::int64_t row) {
    int i = 0;
    while (row >= batch.pieces()[static_cast<std::size_t>(i)].first_row +
                      batch.pieces()[static_cast<std::size_t>(i)].length)
      ++i;
    return i;
  };
  const int from = segment_of(query), to = segment_of(key);
  if (to != from && to != batch.pieces()[static_cast<std::size_t>(from)].parent) return false;
  const std::int64_t distance = batch.positions()[static_cast<std::size_t>(query)] -
                                batch.positions()[static_cast<std::size_t>(key)];
  return !(o.causal && distance < 0) && !(o.window > 0 && std::abs(distance) >= o.window);
}

// Of a prefix [S or 1, length, heads, width]: [length, width].
at::Tensor own(const at::Tensor& prefix, int stream, std::int64_t head) {
  return prefix[prefix.size(0) == 1 ? 0 : stream].select(1, head);
}

double weight_of(double product, const AttentionOptions& o) {
  const double score = o.scale * product;
  return std::exp(o.score_cap > 0 ? o.score_cap * std::tanh(score / o.score_cap) : score);
}

// Attention as it is written in a textbook, one number at a time. A stream's prefix is seen by all
// of its rows.
at::Tensor plain_attention(const PackedBatch& batch, int streams, const at::Tensor& q,
                           const at::Tensor& k, const at::Tensor& v, const AttentionOptions& o,
                           const std::optional<KeysValues>& prefix = {}) {
  const std::int64_t heads = q.size(1), group = heads / k.size(1), width = q.size(2),
                     rows = batch.rows();
  const auto Q = q.accessor<float, 3>(), K = k.accessor<float, 3>(), V = v.accessor<float, 3>();
  at::Tensor out = at::empty({q.size(0), heads, v.size(2)}, at::kFloat);
  auto O = out.accessor<float, 3>();
  for (int s = 0; s < streams; ++s)
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t h = 0; h < heads; ++h) {
        std::vector<double> weight(static_cast<std::size_t>(rows)), before;
        double total = 0;
        const at::Tensor keys = prefix ? own(prefix->keys, s, h / group) : at::Tensor(),
                         values = prefix ? own(prefix->values, s, h / group) : at::Tensor();
        for (std::int64_t j = 0; prefix && j < keys.size(0); ++j) {
          double dot = 0;
          for (std::int64_t d = 0; d < width; ++d)
            dot += double{Q[s * rows + i][h][d]} * keys[j][d].item<double>();
          total += before.emplace_back(weight_of(dot, o));
        }
        for (std::int64_t j = 0; j < rows; ++j) {
          if (!sees(batch, i, j, o)) continue;
          double dot = 0;
          for (std::int64_t d = 0; d < width; ++d)
            dot += double{Q[s * rows + i][h][d]} * K[s * rows + j][h / group][d];
          total += weight[static_cast<std::size_t>(j)] = weight_of(dot, o);
        }
        for (std::int64_t d = 0; d < v.size(2); ++d) {
          double sum = 0;
          for (std::size_t j = 0; j < before.size(); ++j)
            sum += before[j] * values[static_cast<std::int64_t>(j)][d].item<double>();
          for (std::int64_t j = 0; j < rows; ++j)
            sum += weight[static_cast<std::size_t>(j)] * V[s * rows + j][h / group][d];
          O[s * rows + i][h][d] = static_cast<float>(sum / total);
        }
      }
  return out;
}

// Sequences of several lengths, one of a single token; with children: two contexts, continued twice
// and once, not in order.
PackedBatch sample(bool children) {
  PackedBatch batch;
  const int a = batch.add(tokens(0, 5));
  batch.add(tokens(0, 1));
  if (children) batch.add(tokens(0, 3), a);
  const int b = batch.add(tokens(0, 9));
  if (children) {
    batch.add(tokens(0, 1), b);
    batch.add(tokens(0, 4), a);
  }
  return batch;
}

PackedBatch equally_long() {
  PackedBatch batch;
  for (int i = 0; i < 3; ++i) batch.add(tokens(0, 5));
  return batch;
}

double error(const PackedBatch& batch, int streams, std::int64_t heads, std::int64_t kv_heads,
             const AttentionOptions& options) {
  const std::int64_t rows = batch.rows() * streams;
  const at::Tensor q = numbers({rows, heads, 8}, 1).mul(3), k = numbers({rows, kv_heads, 8}, 2),
                   v = numbers({rows, kv_heads, 8}, 3);
  return difference(PackedAttention(batch, streams)(0, q, k, v, options),
                    plain_attention(batch, streams, q, k, v, options));
}

}  // namespace

TEST_CASE("attention is the scalar loop, for any sharing of heads, window and number of streams") {
  for (const std::int64_t kv_heads : {1, 2, 6})
    for (const int streams : {1, 2})
      for (const std::int64_t window : {0, 1, 3, 100}) {
        CAPTURE(kv_heads);
        CAPTURE(streams);
        CAPTURE(window);
        for (const double cap : {0.0, 0.6}) {
          for (const bool children : {false, true})
            CHECK(error(sample(children), streams, 6, kv_heads, {0.35, true, window, cap}) < 1e-5);
          for (const PackedBatch& batch : {sample(false), equally_long()})
            for (const bool causal : {false, true})
              CHECK(error(batch, streams, 6, kv_heads, {0.35, causal, window, cap}) < 1e-5);
        }
      }
}

TEST_CASE("capped scores of more sequences than are written out at once are those of each alone") {
  PackedBatch batch;
  for (int i = 0; i < 3; ++i) batch.add(tokens(0, 2050));
  const at::Tensor q = numbers({batch.rows(), 2, 4}, 1).mul(3),
                   k = numbers({batch.rows(), 1, 4}, 2), v = numbers({batch.rows(), 1, 4}, 3);
  for (const std::int64_t window : {0, 9}) {
    const AttentionOptions options{0.5, true, window, 0.6};
    const at::Tensor together = PackedAttention(batch, 1)(0, q, k, v, options);
    for (const Piece& s : batch.pieces()) {
      PackedBatch alone;
      alone.add(tokens(0, 2050));
      const auto own = [&](const at::Tensor& x) { return x.narrow(0, s.first_row, s.length); };
      CHECK(difference(own(together),
                       PackedAttention(alone, 1)(0, own(q), own(k), own(v), options)) < 1e-6);
    }
  }
}

TEST_CASE("a prefix is seen by every row of its stream, whatever else the row sees") {
  for (const std::int64_t kv_heads : {2, 6})
    for (const int streams : {1, 2})
      for (const auto& [own_keys, own_values] :
           {std::pair{1, 1}, {streams, streams}, {streams, 1}, {1, streams}})
        for (const AttentionOptions options : {AttentionOptions{0.35, true, 0},
                                               {0.35, true, 2},
                                               {0.35, false, 0},
                                               {0.35, false, 2},
                                               {0.35, true, 0, 0.6},
                                               {0.35, false, 2, 0.6}})
          for (const PackedBatch& batch : {sample(options.causal), equally_long()}) {
            const std::int64_t rows = batch.rows() * streams;
            const at::Tensor q = numbers({rows, 6, 8}, 1).mul(3),
                             k = numbers({rows, kv_heads, 8}, 2),
                             v = numbers({rows, kv_heads, 8}, 3);
            const KeysValues prefix{numbers({own_keys, 3, kv_heads, 8}, 4).mul(2),
                                    numbers({own_values, 3, kv_heads, 8}, 5).mul(2)};
            CHECK(difference(PackedAttention(batch, streams)(0, q, k, v, options, prefix),
                             plain_attention(batch, streams, q, k, v, options, prefix)) < 1e-5);
          }
}

TEST_CASE("a prefix that is placed before a long sequence is hidden by a window as tokens are") {
  PackedBatch batch, joined;
  batch.add(tokens(0, 530));
  joined.add(tokens(0, 533));
  const at::Tensor q = numbers({533, 2, 4}, 1).mul(3), k = numbers({533, 1, 4}, 2),
                   v = numbers({533, 1, 4}, 3);
  const auto behind = [](const at::Tensor& x) { return x.narrow(0, 3, 530); };
  const KeysValues prefix{k.narrow(0, 0, 3).unsqueeze(0), v.narrow(0, 0, 3).unsqueeze(0)};
  for (const std::int64_t window : {2, 40, 300, 531}) {
    CAPTURE(window);
    const AttentionOptions options{0.35, true, window};
    CHECK(difference(PackedAttention(batch, 1, at::kCPU, nullptr, true)(0, behind(q), behind(k),
                                                                        behind(v), options, prefix),
                     behind(PackedAttention(joined, 1)(0, q, k, v, options))) < 1e-5);
  }
}

namespace {

// What attention's kernels are asked for.
struct Asked : AttentionKernels {
  mutable std::vector<bool> masked, causal;
  mutable std::int64_t largest = 0;  // mask, in numbers that are in memory
  at::Tensor attend(const PaddedSequences& s,
                    const std::optional<at::Tensor>& mask) const override {
    masked.push_back(mask.has_value());
    causal.push_back(s.causal);
    if (mask) largest = std::max(largest, static_cast<std::int64_t>(mask->storage().nbytes() / 4));
    return AttentionKernels::attend(s, mask);
  }
};

// Whether a batch of such pieces costs a mask.
bool makes_mask(const PackedBatch& batch, const AttentionOptions& options) {
  const Asked asked;
  const at::Tensor x = numbers({batch.rows(), 2, 4}, 1);
  PackedAttention(batch, 1, at::kCPU, &asked)(0, x, x, x, options);
  REQUIRE(asked.masked.size() == 1);
  CHECK(asked.causal[0] == (options.causal && !asked.masked[0]));
  return asked.masked[0];
}

}  // namespace

TEST_CASE("a mask is made only where something is hidden that causality and padding do not hide") {
  const PackedBatch even = equally_long(), ragged = sample(false);  // 5 tokens each; 9 at most
  CHECK(!makes_mask(even, {1, true, 0}));
  CHECK(!makes_mask(ragged, {1, true, 0}));
  CHECK(!makes_mask(even, {1, false, 0}));
  CHECK(makes_mask(ragged, {1, false, 0}));
  CHECK(makes_mask(even, {1, true, 4}));
  CHECK(!makes_mask(even, {1, true, 5}));
  CHECK(!makes_mask(even, {1, false, 5}));
  CHECK(makes_mask(ragged, {1, true, 8}));
  CHECK(!makes_mask(ragged, {1, true, 9}));
}

TEST_CASE("sequences longer than a block of queries are the scalar loop, without a mask of all") {
  PackedBatch root, children, two;
  root.add(tokens(0, 290));
  children.add(tokens(0, 260), children.add(tokens(0, 7)));
  two.add(tokens(0, 270));
  two.add(tokens(0, 30));
  for (const AttentionOptions o : {AttentionOptions{0.35, true, 0},
                                   {0.35, true, 40},
                                   {0.35, true, 258},
                                   {0.35, false, 0},
                                   {0.35, false, 40},
                                   {0.35, true, 0, 0.6},
                                   {0.35, false, 0, 0.6},
                                   {0.35, true, 40, 0.6}})
    for (const PackedBatch* batch : {&root, &two, &children})
      for (const bool behind : {false, true}) {
        if (batch == &children && !o.causal) continue;
        CAPTURE(o.causal);
        CAPTURE(o.window);
        CAPTURE(o.score_cap);
        CAPTURE(behind);
        const at::Tensor q = numbers({batch->rows(), 2, 4}, 1).mul(3),
                         k = numbers({batch->rows(), 1, 4}, 2),
                         v = numbers({batch->rows(), 1, 4}, 3);
        std::optional<KeysValues> prefix;
        if (behind) prefix = {numbers({1, 3, 1, 4}, 4).mul(2), numbers({1, 3, 1, 4}, 5).mul(2)};
        const Asked asked;
        CHECK(difference(PackedAttention(*batch, 1, at::kCPU, &asked)(0, q, k, v, o, prefix),
                         plain_attention(*batch, 1, q, k, v, o, prefix)) < 1e-5);
        const std::int64_t keys = o.window > 0 ? 2 * o.window + 256 : 300;
        CHECK(asked.largest <= (o.causal || o.window > 0 ? 256 : 1) * 2 * keys);
        if (o.score_cap == 0 && o.window == 0 && o.causal && batch != &children)
          CHECK(asked.largest == 0);
      }
}

TEST_CASE("causal beside a mask or a cap is refused: one would hide what the other shows") {
  const at::Tensor x = numbers({1, 2, 3, 4}, 1), mask = at::full({1, 1, 3, 3}, 0.0, at::kFloat);
  CHECK_THROWS_AS(AttentionKernels().attend({x, x, x, 1, true}, mask), std::logic_error);
  CHECK_THROWS_AS(AttentionKernels().attend({x, x, x, 1, true, false, 0.6}, {}), std::logic_error);
}

TEST_CASE("a shared context is refused by a layer that is not causal") {
  const PackedBatch batch = sample(true);
  const at::Tensor x = numbers({batch.rows(), 2, 4}, 1);
  PackedAttention attention(batch, 1);
  CHECK_THROWS_WITH_AS(attention(3, x, x, x, {1, false, 0}),
                       "[attention] layer 3 is not causal: its sequences cannot share a context "
                       "that is computed once",
                       ModelError);
  CHECK_NOTHROW(attention(3, x, x, x, {1, true, 0}));
}

TEST_CASE("a batch of pieces gives what each piece gives alone") {
  PackedBatch batch;
  for (const std::int32_t length : {4, 1, 7, 7}) batch.add(tokens(0, length));
  const at::Tensor q = numbers({batch.rows(), 4, 8}, 4), k = numbers({batch.rows(), 2, 8}, 5),
                   v = numbers({batch.rows(), 2, 8}, 6);
  for (const bool causal : {true, false}) {
    const AttentionOptions options{0.5, causal, 0};
    const at::Tensor together = PackedAttention(batch, 1)(0, q, k, v, options);
    for (const Piece& s : batch.pieces()) {
      PackedBatch alone;
      alone.add(tokens(0, static_cast<std::int32_t>(s.length)));
      const auto own = [&](const at::Tensor& x) { return x.narrow(0, s.first_row, s.length); };
      CHECK(difference(own(together),
                       PackedAttention(alone, 1)(0, own(q), own(k), own(v), options)) < 1e-6);
    }
  }
}

TEST_CASE("a child with its parent gives what the joined sequence gives") {
  PackedBatch batch, joined;
  const int parent = batch.add(tokens(0, 6));
  batch.add(tokens(0, 3), parent);
  const int child = batch.add(tokens(0, 5), parent);
  joined.add(tokens(0, 11));
  const std::int64_t begin = batch.pieces()[static_cast<std::size_t>(child)].first_row;
  const auto join = [&](const at::Tensor& x) {
    return at::cat({x.narrow(0, 0, 6), x.narrow(0, begin, 5)});
  };
  const at::Tensor q = numbers({batch.rows(), 4, 8}, 7), k = numbers({batch.rows(), 4, 8}, 8),
                   v = numbers({batch.rows(), 4, 8}, 9);
  for (const std::int64_t window : {0, 4}) {
    const AttentionOptions options{0.5, true, window};
    CHECK(difference(join(PackedAttention(batch, 1)(0, q, k, v, options)),
                     PackedAttention(joined, 1)(0, join(q), join(k), join(v), options)) < 1e-6);
  }
}

TEST_CASE("a packed batch lays pieces end to end and continues a parent's positions") {
  PackedBatch batch;
  const int parent = batch.add(tokens(10, 3));
  batch.add(tokens(20, 2));
  const int child = batch.add(tokens(30, 2), parent);
  CHECK(std::vector<std::int64_t>(batch.ids().begin(), batch.ids().end()) ==
        std::vector<std::int64_t>{10, 11, 12, 20, 21, 30, 31});
  CHECK(std::vector<std::int64_t>(batch.positions().begin(), batch.positions().end()) ==
        std::vector<std::int64_t>{0, 1, 2, 0, 1, 3, 4});
  CHECK(batch.ids_differ() == 0);
  CHECK_THROWS_AS(batch.add({}), std::logic_error);
  CHECK_THROWS_AS(batch.add(tokens(0, 1), child), std::logic_error);
  CHECK_THROWS(batch.add(tokens(0, 1), 99));
}

TEST_CASE(
    "a packed batch keeps ids of each stream where they differ, and begins where it is told") {
  const auto list = [](std::span<const std::int64_t> ids) {
    return std::vector<std::int64_t>(ids.begin(), ids.end());
  };
  using Ids = std::vector<std::int64_t>;
  PackedBatch batch;
  const int parent = batch.add(tokens(10, 2), -1, 5);
  const std::vector<std::vector<std::int32_t>> each = {{1, 2}, {3, 4}, {5, 6}};
  batch.add_each(each, parent);
  batch.add(tokens(7, 1));
  CHECK(batch.ids_differ() == 3);
  CHECK(batch.rows() == 5);
  CHECK(list(batch.ids(0)) == Ids{10, 11, 1, 2, 7});
  CHECK(list(batch.ids(2)) == Ids{10, 11, 5, 6, 7});
  CHECK(list(batch.positions()) == Ids{5, 6, 7, 8, 0});
  const std::vector<std::vector<std::int32_t>> two = {{1}, {2}}, ragged = {{1}, {2}, {3, 4}};
  CHECK_THROWS_AS(batch.add_each(two), std::logic_error);
  CHECK_THROWS_AS(batch.add_each(ragged), std::logic_error);
  CHECK_THROWS_AS(batch.add_each({}), std::logic_error);
}
