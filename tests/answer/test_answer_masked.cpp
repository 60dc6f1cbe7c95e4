// A word at a mask, by hand: a model that sees both ways, whose every row is the mean of its
// sequence.
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include "core/answer/answer.h"
#include "core/error.h"
#include "tests/model/toy.h"
#include "tests/task/questions.h"

using namespace mezo;

namespace {

constexpr std::int64_t entries = 8;
constexpr std::int32_t mask = 7;

// logits of any row = the mean over all tokens of the sequence of table[:, token]: embeddings are
// the identity, and keys of zero make attention a mean.
class Mean : public Model {
 public:
  explicit Mean(Declaration& declare)
      : embedding_(declare.embedding("embedding", entries, entries)),
        head_(declare.vocabulary_head("head", entries, entries, false)) {}

  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    const at::Tensor values = ops.embedding(embedding_, batch.ids).unsqueeze(1);
    const at::Tensor zero = at::zeros(values.sizes(), values.options());
    return ops.attention(0, zero, zero, values, {1.0, false, 0}).squeeze(1);
  }
  at::Tensor head(Ops& ops, const at::Tensor& rows) const override {
    head_rows.push_back(rows.size(0));
    return ops.linear(head_, rows);
  }

  mutable std::vector<std::int64_t> head_rows;

 private:
  Embedding embedding_;
  Linear head_;
};

struct Masked {
  Declaration declaration;
  Mean* mean = nullptr;  // owned by network
  Network network;

  Masked() {
    network.model.reset(mean = new Mean(declaration));
    network.entries = entries;
    network.causal = false;
  }
};

// The first stream's table is all zeros but for what the word 3 gets from the tokens 1, 2 and the
// mask; the second stream's is the same for the word 4.
std::vector<std::vector<at::Tensor>> tables() {
  std::vector<std::vector<at::Tensor>> copies;
  for (const std::int64_t word : {3, 4}) {
    at::Tensor table = at::zeros({entries, entries});
    float* own = table.mutable_data_ptr<float>() + word * entries;
    own[1] = 3;
    own[2] = 6;
    own[mask] = -1.5f;
    copies.push_back({at::eye(entries), table});
  }
  return copies;
}

// The words 3 and 4 at the mask.
Question words_at_mask(Ids sequence, std::int64_t place) {
  Question q;
  q.pieces = {{std::move(sequence), -1}};
  q.scored = {{0, place, 3, 0}, {0, place, 4, 1}};
  q.right = {1};
  return q;
}

// [S, E, O] of two sequences: means of (3 - 1.5 + 6) / 3 = 2.5, and (-1.5 + 0 + 6 + 3 + 6) / 5.
at::Tensor by_hand() {
  return at::tensor({2.5f, 0.f, 2.7f, 0.f, 0.f, 2.5f, 0.f, 2.7f}).view({2, 2, 2});
}

}  // namespace

TEST_CASE("a word at a mask is scored at the mask's own row, from both sides") {
  const Masked m;
  CopiesSource source(tables());
  const std::vector<Question> questions = {words_at_mask({1, mask, 2}, 1),
                                           words_at_mask({mask, 0, 2, 1, 2}, 0)};
  const at::Tensor scores =
      answer(m.network, source, pointers(questions), {.normalised = true}).option_scores;
  const at::Tensor total = (by_hand().amax({2}).exp() + 7).log().unsqueeze(-1);  // 8 entries
  CHECK(difference(scores, by_hand() - total) < 1e-5);
  CHECK(m.mean->head_rows == std::vector<std::int64_t>{2 * 2});
}

TEST_CASE("words at one mask need their entries of the vocabulary alone") {
  const Masked m;
  CopiesSource source(tables());
  const std::vector<Question> questions = {words_at_mask({1, mask, 2}, 1),
                                           words_at_mask({mask, 0, 2, 1, 2}, 0)};
  const at::Tensor scores = answer(m.network, source, pointers(questions), {}).option_scores;
  CHECK(difference(scores, by_hand()) < 1e-5);
  CHECK(source.asked_rows == 3 + 5 + 2);  // every token read; the words 3 and 4
}

TEST_CASE("a model that is not causal refuses options that share a context") {
  const Masked m;
  CopiesSource source(tables());
  const std::vector<Question> shared = {options_of({1, 2}, {{3, 4}, {4}}, {2, 1})};
  CHECK_THROWS_WITH_AS(answer(m.network, source, pointers(shared), {}),
                       doctest::Contains("not causal"), ModelError);
  CHECK(source.asked.empty());  // before anything is computed
}
