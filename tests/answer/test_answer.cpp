#include <ATen/ops/allclose.h>
#include <ATen/ops/log_softmax.h>
#include <doctest/doctest.h>

#include "core/answer/answer.h"
#include "core/error.h"
#include "core/forward/stream_ops.h"
#include "tests/model/toy.h"
#include "tests/task/questions.h"

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

// Options of one and of several tokens, some of which belong to the prompt; a context of one token;
// one example with fewer options.
std::vector<Question> various() {
  return {options_of({1, 2, 3}, {{4}, {5, 6, 7}, {5, 8}}, {1, 3, 1}),
          options_of({9}, {{2, 2}, {3}}, {2, 1}),
          options_of({4, 4, 4, 4, 4, 4, 4}, {{1}, {2}, {3, 3, 3, 3}}, {1, 1, 4})};
}

std::vector<Question> single() {
  return {options_of({1, 2, 3}, {{4}, {5}}, {1, 1}), options_of({9}, {{2}, {4}}, {1, 1})};
}

// One forward of what stands before the token, logits of every row.
double plain_log_likelihood(const Made& m, const std::vector<at::Tensor>& copy, const Question& q,
                            const Question::Scored& s) {
  PackedBatch batch;
  batch.add(before(q, s));
  CopiesSource source({copy});
  StreamOps ops(source, batch);
  const at::Tensor log_share =
      at::log_softmax(m.toy->head(ops, m.toy->hidden(ops, ops.batch())), -1);
  return log_share[batch.rows() - 1][s.token].item<double>();
}

double plain_score(const Made& m, const std::vector<at::Tensor>& copy, const Question& q,
                   std::int64_t option) {
  double sum = 0;
  int count = 0;
  for (const Question::Scored& s : q.scored)
    if (s.option == option) sum += plain_log_likelihood(m, copy, q, s), ++count;
  return sum / count;
}

double worst(const Made& m, const std::vector<std::vector<at::Tensor>>& copies,
             const std::vector<Question>& questions, const at::Tensor& scores) {
  double most = 0;
  for (std::size_t s = 0; s < copies.size(); ++s)
    for (std::size_t e = 0; e < questions.size(); ++e)
      for (std::int64_t o = 0; o < questions[e].options(); ++o) {
        const at::Tensor own =
            scores[static_cast<std::int64_t>(s)][static_cast<std::int64_t>(e)][o];
        most = std::max(most,
                        std::abs(own.item<double>() - plain_score(m, copies[s], questions[e], o)));
      }
  return most;
}

const Needs differences, log_probabilities{.normalised = true};

at::Tensor scores_of(const Made& m, ParameterSource& source, const std::vector<Question>& questions,
                     const Needs& needs = log_probabilities) {
  return answer(m.loaded, source, pointers(questions), needs).option_scores;
}

}  // namespace

TEST_CASE("what is subtracted is the sum behind the other context, and no token that is listed") {
  Made m(12, 6);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1),
                                                       parameters_of(m.declaration, 2)};
  CopiesSource source(copies);
  const std::vector<std::vector<Ids>> tails = {{{4}, {5, 6, 7}}, {{2, 2}, {3}}, {{1}, {8}}};
  std::vector<Question> plain, neutral, questions;
  for (const std::vector<Ids>& t : tails) {
    Ids counts;
    for (const Ids& tail : t) counts.push_back(static_cast<std::int32_t>(tail.size()));
    plain.push_back(options_of({1, 2, 3}, t, counts));
    neutral.push_back(options_of({9}, t, counts));
    plain.back().score = neutral.back().score = Question::Score::sum;
    questions.push_back(plain.back());
    if (questions.size() != 2)
      subtract(questions.back(), neutral.back());  // beside one that is not
  }
  const Needs all{.normalised = false, .token_log_likelihoods = true};
  const Outputs without = answer(m.loaded, source, pointers(plain), all),
                made = answer(m.loaded, source, pointers(questions), all);
  CHECK(at::allclose(made.token_log_likelihoods, without.token_log_likelihoods, 1e-5, 1e-6));
  at::Tensor expected = scores_of(m, source, neutral).neg();
  expected.select(1, 1).zero_();
  CHECK(at::allclose(made.option_scores, without.option_scores + expected, 1e-5, 1e-5));
  // Also where nothing else asks for the vocabulary's normaliser.
  CHECK(at::allclose(scores_of(m, source, {questions[2]}, differences),
                     made.option_scores.narrow(1, 2, 1), 1e-5, 1e-5));
}

TEST_CASE("packed scores are those of each option alone, in every stream") {
  Made m(12, 6);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1),
                                                       parameters_of(m.declaration, 2)};
  CopiesSource source(copies);
  const auto examples = various();
  const at::Tensor scores = scores_of(m, source, examples);
  CHECK(scores.sizes() == at::IntArrayRef{2, 3, 3});
  CHECK(worst(m, copies, examples, scores) < 1e-5);
  CHECK(scores[1][1][2].item<float>() ==
        -std::numeric_limits<float>::infinity());  // it has two options
  CopiesSource again(copies);
  CHECK(scores_of(m, again, examples, differences).equal(scores));
}

TEST_CASE("only rows that predict an option's token reach the head") {
  Made m(12, 6);
  CopiesSource source({parameters_of(m.declaration, 1), parameters_of(m.declaration, 2)});
  const auto examples = various();
  scores_of(m, source, examples);
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
  const at::Tensor some = scores_of(m, source, examples, differences);
  CHECK(m.toy->head_rows == std::vector<std::int64_t>{2 * 2});
  CHECK(source.asked_rows ==
        4 + 3);  // tokens 1, 2, 3, 9 of the contexts; entries 2, 4, 5 of the head
  const int head = m.toy->head_matrix().index;
  CHECK(std::count_if(source.asked.begin(), source.asked.end(),
                      [&](Parameter p) { return p.index == head; }) == 1);
  const at::Tensor all = scores_of(m, full, examples);
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
  const at::Tensor scores = scores_of(m, source, examples);
  CHECK(m.toy->head_rows == std::vector<std::int64_t>{4, 4, 2});
  CHECK(worst(m, copies, {examples[0]}, scores.narrow(1, 0, 1)) < 1e-4);
}

TEST_CASE("an option with an impossible token is impossible, whatever follows") {
  Made m(12, 6);
  m.toy->impossible = 5;
  CopiesSource source({parameters_of(m.declaration, 1)});
  const auto examples = various();
  const at::Tensor scores = scores_of(m, source, examples);
  CHECK(scores[0][0][1].item<float>() == -std::numeric_limits<float>::infinity());
  CHECK(std::isfinite(scores[0][0][2].item<float>()));  // there 5 belongs to the prompt
}

TEST_CASE("the normaliser is left out only where it is the same for all options") {
  const auto head_entries = [](const std::vector<Question>& questions, const Needs& needs) {
    Made m(12, 6);
    CopiesSource source({parameters_of(m.declaration, 1)});
    scores_of(m, source, questions, needs);
    const int head = m.toy->head_matrix().index;
    return std::count_if(source.asked.begin(), source.asked.end(),
                         [&](Parameter p) { return p.index == head; }) == 1
               ? source.asked_rows
               : -1;
  };
  const Question two = options_of({1, 2, 3}, {{4}, {5}}, {1, 1});
  CHECK(head_entries({two}, differences) == 3 + 2);    // three tokens, two entries of the head
  CHECK(head_entries({two}, log_probabilities) == 3);  // the head as a whole
  CHECK(head_entries({two, answer_behind({1}, {2})}, differences) == 3 + 1);
  Question elsewhere = two;  // the second option is predicted at another row
  elsewhere.scored[1].index = 1;
  CHECK(head_entries({elsewhere}, differences) == 3);
  Needs tokens;
  tokens.token_log_likelihoods = true;
  CHECK(head_entries({two}, tokens) == 3);
}

TEST_CASE("an only option has its log-probability, whatever is asked for") {
  Made m(12, 6);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1)};
  CopiesSource source(copies);
  const std::vector<Question> questions = {answer_behind({1, 2}, {7})};
  CHECK(worst(m, copies, questions, scores_of(m, source, questions, differences)) < 1e-5);
}

TEST_CASE("an answer is scored by each of its tokens, their mean or their sum") {
  Made m(12, 6);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1),
                                                       parameters_of(m.declaration, 2)};
  std::vector<Question> questions = {answer_behind({1, 2}, {3, 4, 5}), answer_behind({6}, {7, 8})};
  CopiesSource source(copies), again(copies);
  const at::Tensor mean = scores_of(m, source, questions);
  CHECK(mean.sizes() == at::IntArrayRef{2, 2, 1});
  CHECK(worst(m, copies, questions, mean) < 1e-5);
  CHECK(m.toy->head_rows.at(0) == 2 * (3 + 2));
  for (Question& q : questions) q.score = Question::Score::sum;
  const at::Tensor sum = scores_of(m, again, questions);
  CHECK(difference(sum.select(1, 0), 3 * mean.select(1, 0)) < 1e-5);
  CHECK(difference(sum.select(1, 1), 2 * mean.select(1, 1)) < 1e-5);
}

TEST_CASE("token log-likelihoods stand by example and by option, however many forwards") {
  Made m(12, 6);
  const std::vector<std::vector<at::Tensor>> copies = {parameters_of(m.declaration, 1),
                                                       parameters_of(m.declaration, 2)};
  std::vector<Question> questions = various();
  questions.push_back(answer_behind({1, 2}, {3, 4}));
  const auto asked = pointers(questions);
  const Needs needs{.option_scores = false, .token_log_likelihoods = true};
  CopiesSource source(copies);
  std::vector<Pending> parts;
  parts.push_back(begin_answering(m.loaded, source, std::span(asked).first(1), needs));
  parts.push_back(begin_answering(m.loaded, source, std::span(asked).subspan(1), needs));
  const Outputs out = collect(parts);
  CHECK(!out.option_scores.defined());
  CHECK(out.option_offsets == std::vector<std::int64_t>{0, 3, 5, 8, 9});
  CHECK(out.token_offsets == std::vector<std::int64_t>{0, 1, 4, 5, 7, 8, 9, 10, 14, 16});
  REQUIRE(out.token_log_likelihoods.sizes() == at::IntArrayRef{2, 16});
  for (std::int64_t s = 0; s < 2; ++s) {
    std::int64_t t = 0;
    for (const Question& q : questions)
      for (const Question::Scored& scored : q.scored)
        CHECK(
            out.token_log_likelihoods[s][t++].item<double>() ==
            doctest::Approx(plain_log_likelihood(m, copies[static_cast<std::size_t>(s)], q, scored))
                .epsilon(1e-5));
  }
  CopiesSource whole(copies);
  const Outputs both = answer(m.loaded, whole, asked, {.token_log_likelihoods = true});
  CHECK(difference(both.token_log_likelihoods, out.token_log_likelihoods) < 1e-6);
  CHECK(worst(m, copies, questions, both.option_scores) < 1e-5);
}

TEST_CASE("targets have the first right option, all of them, and the right texts") {
  std::vector<Question> questions = {options_of({1}, {{2}, {3}, {4}}, {1, 1, 1}, {2, 0}),
                                     options_of({1}, {{2}, {3}}, {1, 1}, {1})};
  questions.emplace_back();  // asks for text alone
  questions[2].answers = {"1066", "in 1066"};
  const Targets targets = targets_of(pointers(questions));
  CHECK(targets.labels.equal(at::tensor({2, 1, -1}, at::kLong)));
  CHECK(targets.right.to(at::kLong).equal(
      at::tensor({1, 0, 1, 0, 1, 0, 0, 0, 0}, at::kLong).view({3, 3})));
  CHECK(targets.answers[2] == std::vector<std::string>{"1066", "in 1066"});
}

TEST_CASE("a question that contradicts itself is refused") {
  Made m(12, 6);
  CopiesSource source({parameters_of(m.declaration, 1)});
  const auto refused = [&](auto&& change) {
    std::vector<Question> questions = single();
    change(questions[1]);
    CHECK_THROWS_AS(scores_of(m, source, questions), std::logic_error);
  };
  refused([](Question& q) { q.scored[0].index = 1; });
  refused([](Question& q) { q.scored[0].piece = 1; });
  refused([](Question& q) { q.scored[0].option = 1; });
  refused([](Question& q) { q.scored[0].option = -1; });
  refused([](Question& q) { std::swap(q.scored[0], q.scored[1]); });
  refused([](Question& q) { q.right = {2}; });
  refused([](Question& q) { q.pieces[0].follows = 0; });
}
