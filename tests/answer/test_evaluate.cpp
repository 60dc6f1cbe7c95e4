// Evaluation by hand: a model whose next-token scores depend on the last token only, so that they
// can be written down.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/answer/evaluate.h"
#include "core/plugin/component.h"
#include "core/task/encode.h"
#include "tests/task/questions.h"
#include "tests/task/toy.h"

using namespace mezo;
using mezo::test::bad, mezo::test::great, mezo::test::toy_example, mezo::test::toy_task,
    mezo::test::toy_tokenizer;

namespace {

constexpr std::int64_t bigram_entries = 36;

// logits(next | last) = table[last][next]: the embedding is the identity, the head is the table.
class Bigram : public Model {
 public:
  explicit Bigram(Declaration& declare)
      : embedding_(declare.embedding("embed", bigram_entries, bigram_entries)),
        head_(declare.vocabulary_head("head", bigram_entries, bigram_entries, false)) {}
  at::Tensor hidden(Ops& ops, const Batch& batch) const override {
    return ops.embedding(embedding_, batch.ids);
  }
  at::Tensor head(Ops& ops, const at::Tensor& rows) const override {
    return ops.linear(head_, rows);
  }

 private:
  Embedding embedding_;
  Linear head_;
};

struct BigramFamily : ModelFamily {
  explicit BigramFamily(const Parameters&) {}
  std::unique_ptr<Model> build(const ModelConfig&, Declaration& declare) const override {
    return std::make_unique<Bigram>(declare);
  }
};

constexpr mezo_component description =
    component<BigramFamily, ModelFamily>(MEZO_MODEL, "bigram", "for a test");

struct BigramModel {
  LoadedModel model;

  BigramModel() : model(make()) {
    model.store.tensor({0}).zero_();
    model.store.tensor({1}).zero_();
    for (std::int64_t i = 0; i < bigram_entries; ++i)
      model.store.data({0})[i * bigram_entries + i] = 1;
  }
  void set(int last, int next, float logit) {
    model.store.data({1})[next * bigram_entries + last] = logit;
  }

  static LoadedModel make() {
    BuiltModel built = build_model(ModelConfig::from_json("{\"vocab_size\": 36}", "toy"),
                                   Component{&description, std::make_shared<const Plugin>()});
    ParameterStore store(built.specs);
    return {{std::move(built), "toy", toy_tokenizer()}, std::move(store)};
  }

  Evaluation operator()(const std::vector<Example>& examples, const Task& task = toy_task(),
                        const EvaluationProgress& progress = {}) const {
    return (*this)(encode_all(examples,
                              [&](const Example& example) {
                                return encode(example, task, model.tokenizer, 100, "toy.jsonl");
                              }),
                   progress);
  }
  Evaluation operator()(const std::vector<Question>& questions,
                        const EvaluationProgress& progress = {}) const {
    return evaluate(model, questions, metrics_for("accuracy"), {}, progress);
  }
};

Example row(const std::string& text, const std::string& label, std::int64_t number) {
  return {{{"text", text}, {"label", label}}, number, number + 1};
}

}  // namespace

TEST_CASE("accuracy and loss are those of a calculation by hand") {
  BigramModel toy;
  toy.set('a' - 'a', great, 2.0f);
  toy.set('b' - 'a', bad, 1.0f);
  const Evaluation e = toy({row("a", "1", 0), row("b", "1", 1)});
  REQUIRE(e.predictions.size() == 2);
  const double total = std::log(35.0 + std::exp(2.0));
  CHECK(e.predictions[0].scores[0] == doctest::Approx(-total));
  CHECK(e.predictions[0].scores[1] == doctest::Approx(2 - total));
  CHECK(e.predictions[0].prediction == 1);
  CHECK(e.predictions[1].prediction == 0);
  CHECK(e.value("accuracy") == 0.5);
  CHECK(e.value("cross_entropy") ==
        doctest::Approx((std::log(1 + std::exp(-2.0)) + std::log(1 + std::exp(1.0))) / 2));
}

TEST_CASE("an option of several tokens scores their mean") {
  BigramModel toy;
  toy.set(0, 'x' - 'a', 3.0f);
  toy.set('x' - 'a', 'y' - 'a', 1.0f);
  const Evaluation e = toy({row("a", "0", 0)}, toy_task("{text}", {{"0", "xy"}, {"1", "z"}}));
  const double first = 3 - std::log(35 + std::exp(3.0)), second = 1 - std::log(35 + std::exp(1.0));
  CHECK(e.predictions[0].scores[0] == doctest::Approx((first + second) / 2));
  CHECK(e.predictions[0].scores[1] == doctest::Approx(-std::log(35 + std::exp(3.0))));
}

TEST_CASE("questions of unlike numbers of options are measured together, each by its right ones") {
  BigramModel toy;
  toy.set(0, 1, 1.0f);
  toy.set(0, 2, 2.0f);
  const Evaluation e = toy(std::vector<Question>{
      options_of({0}, {{3}, {1}, {2}}, {1, 1, 1}, {1, 2}),  // the second of the right ones is best
      options_of({0}, {{1}, {2}}, {1, 1}, {0})});
  REQUIRE(e.predictions.size() == 2);
  CHECK(e.predictions[0].scores.size() == 3);
  CHECK(e.predictions[1].scores.size() == 2);
  CHECK(e.predictions[0].prediction == 2);
  CHECK(e.predictions[0].label == 1);
  CHECK(e.predictions[1].prediction == 1);
  CHECK(e.value("accuracy") == 0.5);
  const double first = std::log(1 + std::exp(1.0) + std::exp(2.0)) - 1,
               second = std::log(std::exp(1.0) + std::exp(2.0)) - 1;
  CHECK(e.value("cross_entropy") == doctest::Approx((first + second) / 2));
}

TEST_CASE("an answer scores the mean of its tokens' log-probabilities") {
  BigramModel toy;
  toy.set(0, 5, 3.0f);
  toy.set(5, 6, 1.0f);
  const Evaluation e = toy({answer_behind({9, 0}, {5, 6})});
  const double first = 3 - std::log(35 + std::exp(3.0)), second = 1 - std::log(35 + std::exp(1.0));
  CHECK(e.predictions[0].scores[0] == doctest::Approx((first + second) / 2));
}

TEST_CASE("an evaluation has the metrics that it was asked for, in their order") {
  const Evaluation e = BigramModel()({row("a", "0", 0)});
  REQUIRE(e.measurements.size() == 2);
  CHECK(std::string(e.measurements[0].metric->name) == "accuracy");
  CHECK(std::string(e.measurements[1].metric->name) == "cross_entropy");
  CHECK_THROWS_AS(e.value("f1"), std::logic_error);
}

TEST_CASE("of equal options the first is predicted") {
  const Evaluation e = BigramModel()({row("a", "1", 0)});
  CHECK(e.predictions[0].scores[0] == e.predictions[0].scores[1]);
  CHECK(e.predictions[0].prediction == 0);
}

TEST_CASE(
    "predictions stand in the order of the examples, each with its row, though batches go by "
    "length") {
  BigramModel toy;
  toy.set('c' - 'a', great, 5.0f);
  std::vector<Example> examples;
  for (std::int64_t i = 0; i < 200; ++i)
    examples.push_back(row(
        std::string(static_cast<std::size_t>(1 + (200 - i) % 37), i % 2 ? 'c' : 'd'), "1", 3 * i));
  const Evaluation all = toy(examples);
  REQUIRE(all.predictions.size() == 200);
  for (std::int64_t i = 0; i < 200; ++i) {
    const Prediction& p = all.predictions[static_cast<std::size_t>(i)];
    CHECK(p.row == 3 * i);
    CHECK(p.prediction == i % 2);
  }
  CHECK(all.value("accuracy") == 0.5);
}

TEST_CASE("an evaluation that is stopped measures what it has") {
  std::vector<Example> examples;
  for (std::int64_t i = 0; i < 300; ++i)
    examples.push_back(row(std::string(30, 'a'), i % 2 ? "0" : "1", i));
  std::size_t seen = 0;
  const Evaluation e =
      BigramModel()(examples, toy_task(), [&](std::size_t done, std::size_t total) {
        CHECK(total == 300);
        seen = done;
        return false;
      });
  CHECK(seen < 300);
  CHECK(e.predictions.size() == seen);
  CHECK(e.value("accuracy") == doctest::Approx(0.5).epsilon(0.05));
}

TEST_CASE("scores that are no numbers are counted, and nothing is predicted of them") {
  BigramModel toy;
  constexpr std::int64_t b = 'b' - 'a';
  toy.model.store.data({0})[b * bigram_entries + b] = std::numeric_limits<float>::quiet_NaN();
  const Evaluation e = toy({row("a", "1", 10), row("b", "1", 11), row("bb", "0", 12)});
  CHECK(e.not_numbers == 2);
  CHECK(e.first_not_number == 11);
  CHECK(e.predictions[0].prediction == 0);
  CHECK(e.predictions[1].prediction == -1);
  CHECK(std::isnan(e.value("accuracy")));
}

TEST_CASE("a prediction becomes one line with the options' labels") {
  const Task task = toy_task("{text}", {{"bad \"one\"", " bad"}, {"1", " great"}});
  CHECK(
      prediction_line({7, {-1.5f, -0.25f}, 1, 0}, task.options) ==
      R"({"index":7,"scores":{"bad \"one\"":-1.5,"1":-0.25},"prediction":"1","label":"bad \"one\""})");
  CHECK(prediction_line({7, {0.5f, 0.25f}, 0, -1}, toy_task().options) ==
        R"({"index":7,"scores":{"0":0.5,"1":0.25},"prediction":"0","label":null})");
  Prediction own{9, {-2.0f, -1.0f}, 1, 0};
  own.names = {"Ann", "Bo"};
  CHECK(prediction_line(own, {}) ==
        R"({"index":9,"scores":{"Ann":-2.0,"Bo":-1.0},"prediction":"Bo","label":"Ann"})");
}
