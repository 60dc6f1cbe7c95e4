#include <ATen/ops/log_softmax.h>
#include <doctest/doctest.h>

#include "core/answer/scorer.h"
#include "core/forward/stream_ops.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

// A model of one attention layer that remembers how many rows its head was given, call by call.
class Toy : public Model {
 public:
  Toy(Declaration& declare, std::int64_t entries, std::int64_t width)
      : embedding_(declare.embedding("embedding", entries, width)),
        q_(declare.linear("q", width, width, true)),
        head_(declare.vocabulary_head("head", width, entries, true)) {}

  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    const at::Tensor x = ops.embedding(embedding_, batch.ids) *
                         (batch.positions.unsqueeze(1).to(at::kFloat) * 0.1 + 1);
    const at::Tensor q = ops.linear(q_, x).unsqueeze(1), k = x.unsqueeze(1);
    return x + ops.attention(0, q, k, k, {1.0, true, 0}).squeeze(1);
  }
  at::Tensor head(Ops& ops, const at::Tensor& rows) const override {
    head_rows.push_back(rows.size(0));
    at::Tensor logits = ops.linear(head_, rows).clone();
    if (impossible >= 0)
      logits.select(1, impossible).fill_(-std::numeric_limits<float>::infinity());
    return logits;
  }

  mutable std::vector<std::int64_t> head_rows;
  std::int64_t impossible = -1;  // a token of probability zero
  Parameter head_matrix() const { return head_.weight; }

 private:
  Embedding embedding_;
  Linear q_, head_;
};

struct Made {
  Declaration declaration;
  Toy* toy = nullptr;  // owned by loaded
  Network loaded;

  Made(std::int64_t entries, std::int64_t width) {
    loaded.model.reset(toy = new Toy(declaration, entries, width));
    loaded.entries = entries;
  }
};

EncodedExample example(std::vector<std::int32_t> context,
                       std::vector<std::vector<std::int32_t>> tails,
                       std::vector<std::int32_t> scored) {
  EncodedExample e;
  e.context = std::move(context);
  e.tails = std::move(tails);
  e.scored = std::move(scored);
  return e;
}

// Options of one and of several tokens, some of which belong to the prompt; a context of one token;
// one example with fewer options.
std::vector<EncodedExample> various() {
  return {example({1, 2, 3}, {{4}, {5, 6, 7}, {5, 8}}, {1, 3, 1}),
          example({9}, {{2, 2}, {3}}, {2, 1}),
          example({4, 4, 4, 4, 4, 4, 4}, {{1}, {2}, {3, 3, 3, 3}}, {1, 1, 4})};
}

std::vector<EncodedExample> single() {
  return {example({1, 2, 3}, {{4}, {5}}, {1, 1}), example({9}, {{2}, {4}}, {1, 1})};
}

std::vector<const EncodedExample*> pointers(const std::vector<EncodedExample>& examples) {
  std::vector<const EncodedExample*> list;
  for (const EncodedExample& e : examples) list.push_back(&e);
  return list;
}

// One forward of the joined sequence, logits of every row.
double plain_score(const Made& m, const std::vector<at::Tensor>& copy, const EncodedExample& e,
                   std::size_t option) {
  std::vector<std::int32_t> ids = e.context;
  ids.insert(ids.end(), e.tails[option].begin(), e.tails[option].end());
  PackedBatch batch;
  batch.add(ids);
  CopiesSource source({copy});
  StreamOps ops(source, batch);
  const at::Tensor log_share =
      at::log_softmax(m.toy->head(ops, m.toy->hidden(ops, ops.batch())), -1);
  double sum = 0;
  for (std::size_t i = ids.size() - static_cast<std::size_t>(e.scored[option]); i < ids.size(); ++i)
    sum += log_share[static_cast<std::int64_t>(i) - 1][ids[i]].item<double>();
  return sum / e.scored[option];
}

double worst(const Made& m, const std::vector<std::vector<at::Tensor>>& copies,
             const std::vector<EncodedExample>& examples, const at::Tensor& scores) {
  double most = 0;
  for (std::size_t s = 0; s < copies.size(); ++s)
    for (std::size_t e = 0; e < examples.size(); ++e)
      for (std::size_t o = 0; o < examples[e].tails.size(); ++o)
        most = std::max(most,
                        std::abs(scores[static_cast<std::int64_t>(s)][static_cast<std::int64_t>(e)]
                                       [static_cast<std::int64_t>(o)]
                                           .item<double>() -
                                 plain_score(m, copies[s], examples[e], o)));
  return most;
}

}  // namespace

TEST_CASE("packed scores are those of each option alone, in every stream") {
  Made m(12, 6);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1),
                                                       parameters_of(m.declaration, 2)};
  CopiesSource source(copies);
  const auto examples = various();
  const at::Tensor scores =
      score(m.loaded, source, pointers(examples), Normalise::vocabulary).option_scores;
  CHECK(scores.sizes() == at::IntArrayRef{2, 3, 3});
  CHECK(worst(m, copies, examples, scores) < 1e-5);
  CHECK(scores[1][1][2].item<float>() ==
        -std::numeric_limits<float>::infinity());  // it has two options
  CopiesSource again(copies);
  CHECK(
      score(m.loaded, again, pointers(examples), Normalise::if_needed).option_scores.equal(scores));
}

TEST_CASE("only rows that predict an option's token reach the head") {
  Made m(12, 6);
  CopiesSource source({parameters_of(m.declaration, 1), parameters_of(m.declaration, 2)});
  const auto examples = various();
  score(m.loaded, source, pointers(examples), Normalise::vocabulary);
  // Of the first example: the context's last row, two of {5, 6}, one of {5}; of the second 1 + 1;
  // of the third 1 + 3.
  CHECK(m.toy->head_rows == std::vector<std::int64_t>{2 * (4 + 2 + 4)});
}

TEST_CASE(
    "options of one token ask the head for their entries alone, and differ from log-probabilities "
    "by a constant") {
  Made m(12, 6);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1),
                                                       parameters_of(m.declaration, 2)};
  CopiesSource source(copies), full(copies);
  const auto examples = single();
  const at::Tensor some =
      score(m.loaded, source, pointers(examples), Normalise::if_needed).option_scores;
  CHECK(m.toy->head_rows == std::vector<std::int64_t>{2 * 2});
  CHECK(source.asked_rows ==
        4 + 3);  // tokens 1, 2, 3, 9 of the contexts; entries 2, 4, 5 of the head
  const int head = m.toy->head_matrix().index;
  CHECK(std::count_if(source.asked.begin(), source.asked.end(),
                      [&](Parameter p) { return p.index == head; }) == 1);
  const at::Tensor all =
      score(m.loaded, full, pointers(examples), Normalise::vocabulary).option_scores;
  CHECK(worst(m, copies, examples, all) < 1e-5);
  const at::Tensor constant = some - all;
  CHECK(difference(constant.select(2, 0), constant.select(2, 1)) < 1e-5);
}

TEST_CASE("a large vocabulary is scored in tiles") {
  constexpr std::int64_t entries = 1 << 22;  // 4 rows of logits a tile for one stream
  Made m(entries, 2);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1)};
  CopiesSource source(copies);
  const auto examples = various();
  const at::Tensor scores =
      score(m.loaded, source, pointers(examples), Normalise::vocabulary).option_scores;
  CHECK(m.toy->head_rows == std::vector<std::int64_t>{4, 4, 2});
  CHECK(worst(m, copies, {examples[0]}, scores.narrow(1, 0, 1)) < 1e-4);
}

TEST_CASE("an option with an impossible token is impossible, whatever follows") {
  Made m(12, 6);
  m.toy->impossible = 5;
  CopiesSource source({parameters_of(m.declaration, 1)});
  const auto examples = various();
  const at::Tensor scores =
      score(m.loaded, source, pointers(examples), Normalise::vocabulary).option_scores;
  CHECK(scores[0][0][1].item<float>() == -std::numeric_limits<float>::infinity());
  CHECK(std::isfinite(scores[0][0][2].item<float>()));  // there 5 belongs to the prompt
}
