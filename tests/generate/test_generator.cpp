#include <ATen/ops/argmax.h>
#include <doctest/doctest.h>

#include "core/error.h"
#include "core/forward/held_source.h"
#include "core/forward/stream_ops.h"
#include "core/generate/generator.h"
#include "tests/model/toy.h"
#include "tests/task/toy.h"

using namespace mezo;

namespace {

constexpr std::int64_t letters = 26, wide = 12;  // the letters of the toy tokenizer

// Two layers, the second with a window, two query heads a key head.
class Letters : public Model {
 public:
  explicit Letters(Declaration& declare)
      : embedding_(declare.embedding("embedding", letters, wide)),
        q_(declare.linear("q", wide, wide, true)),
        head_(declare.vocabulary_head("head", wide, letters, true)) {}

  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    at::Tensor x = ops.embedding(embedding_, batch.ids) *
                   (batch.positions.unsqueeze(1).to(at::kFloat) * 0.3 + 1).sin();
    for (int layer = 0; layer < 2; ++layer) {
      const at::Tensor q = ops.linear(q_, x).view({-1, 2, wide / 2}),
                       k = x.narrow(1, 0, wide / 2).unsqueeze(1);
      x = x + ops.attention(layer, q, k, k * 2, {1.0, true, layer == 1 ? 3 : 0}).flatten(1) * 3;
    }
    return x;
  }
  at::Tensor head(Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(head_, rows);
  }

 private:
  Embedding embedding_;
  Linear q_, head_;
};

struct Writer {
  Declaration declaration;
  Network network;
  Tokenizer tokenizer = test::toy_tokenizer();

  Writer() {
    network.model = std::make_shared<Letters>(declaration);
    network.entries = letters;
  }
  std::vector<std::vector<at::Tensor>> copies() const {
    return {parameters_of(declaration, 1), parameters_of(declaration, 2),
            parameters_of(declaration, 3)};
  }
  Generator generator(GenerationRules rules, std::optional<std::int64_t> positions = {}) const {
    return Generator(network, declaration.parameters(), tokenizer, std::move(rules), positions);
  }
};

const std::vector<TextPrompt> prompts = {
    {tokens(3, 1), 0}, {tokens(0, 7), 1}, {tokens(9, 2), 2}, {tokens(5, 3), 3}, {tokens(1, 7), 4}};

// The likeliest token again and again, each by a forward of the whole sequence.
std::vector<std::int32_t> plainly_generated(const Writer& m, const std::vector<at::Tensor>& copy,
                                            std::vector<std::int32_t> sequence, int count) {
  std::vector<std::int32_t> made;
  for (int i = 0; i < count; ++i) {
    PackedBatch batch;
    batch.add(sequence);
    CopiesSource source({copy});
    StreamOps ops(source, batch);
    const at::Tensor logits = m.network.model->head(ops, m.network.model->hidden(ops, ops.batch()));
    made.push_back(
        static_cast<std::int32_t>(logits[batch.rows() - 1].argmax().item<std::int64_t>()));
    sequence.push_back(made.back());
  }
  return made;
}

using Texts = std::vector<std::vector<Generated>>;

void check_equal(const Texts& a, const Texts& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t s = 0; s < a.size(); ++s)
    for (std::size_t i = 0; i < a[s].size(); ++i) CHECK(a[s][i].tokens == b[s][i].tokens);
}

}  // namespace

TEST_CASE("what every stream generates is what whole forwards of its own copy give") {
  const Writer m;
  CopiesSource source(m.copies());
  Generator generator = m.generator({.ends = {.max_new_tokens = 15}});
  const Texts texts = generator(source, prompts);
  REQUIRE(texts.size() == 3);
  std::size_t differ = 0;
  for (std::size_t s = 0; s < 3; ++s)
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      CHECK(texts[s][i].tokens == plainly_generated(m, m.copies()[s], prompts[i].tokens, 15));
      differ += texts[s][i].tokens != texts[0][i].tokens;
    }
  CHECK(differ > 5);
  CHECK(generator.cost().new_tokens == 3 * 5 * 15);
  CHECK(generator.cost().prompt_tokens == 3 * 20);
}

TEST_CASE("texts that end sooner leave the others as they are") {
  const Writer m;
  const auto copies = m.copies();
  CopiesSource source(copies);
  const std::vector<std::int32_t> whole = plainly_generated(m, copies[1], prompts[2].tokens, 15);
  const std::vector<std::int32_t> ends = {whole[4], whole[9]};
  Generator generator = m.generator({.ends = {.max_new_tokens = 15, .end_tokens = ends}});
  const Texts texts = generator(source, prompts);
  for (std::size_t s = 0; s < 3; ++s)
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      std::vector<std::int32_t> expected = plainly_generated(m, copies[s], prompts[i].tokens, 15);
      const auto end = std::ranges::find_first_of(expected, ends);
      if (end != expected.end()) expected.erase(end + 1, expected.end());
      CHECK(texts[s][i].tokens == expected);
    }
}

TEST_CASE("texts do not depend on how many are generated at once, nor on held copies") {
  const Writer m;
  CopiesSource source(m.copies());
  for (const double temperature : {0.0, 1.5}) {
    GenerationRules rules{.ends = {.max_new_tokens = 12},
                          .sampling = {.temperature = temperature, .seed = 5}};
    const Texts together = m.generator(rules)(source, prompts);
    rules.texts_at_once = 2;
    check_equal(m.generator(rules)(source, prompts), together);
    for (int s = 0; s < 3; ++s) {
      OneStream one(source, s);
      check_equal(m.generator(rules)(one, prompts), {together[static_cast<std::size_t>(s)]});
    }
  }
}

TEST_CASE(
    "a text has no more tokens than the model has positions for, and one that the last predicts") {
  const Writer m;
  CopiesSource source({m.copies()[0]});
  const Texts texts = m.generator({.ends = {.max_new_tokens = 15}}, 8)(source, prompts);
  CHECK(texts[0][0].tokens.size() == 8);  // behind one token
  CHECK(texts[0][1].tokens.size() == 2);  // behind seven
  CHECK_THROWS_AS(m.generator({}, 6)(source, prompts), DataError);
}

TEST_CASE("a prompt without a token, and a model that fills masks, are refused") {
  Writer m;
  CopiesSource source({m.copies()[0]});
  const std::vector<TextPrompt> empty = {{{}, 0}};
  CHECK_THROWS_AS(m.generator({})(source, empty), DataError);
  m.network.causal = false;
  CHECK_THROWS_AS(m.generator({}), ModelError);
}
