#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/task/metrics.h"
#undef CHECK
#define CHECK DOCTEST_CHECK

using namespace mezo;

namespace {

constexpr float none = -std::numeric_limits<float>::infinity();

// Two streams of three examples; the second example has two options, the third two right ones.
Outputs outputs() {
  Outputs out;
  out.option_scores = at::tensor({-1.f, -2.f, -3.f, -2.f, -2.f, none, -5.f, -1.f, -9.f, -1.f, -2.f,
                                  0.5f, -3.f, -2.f, none, -5.f, -8.f, -4.f})
                          .view({2, 3, 3});
  return out;
}

Targets targets() {
  Targets t;
  t.labels = at::tensor({0, 1, 0}, at::kLong);
  t.right = at::tensor({1, 0, 0, 0, 1, 0, 1, 1, 0}, at::kLong).view({3, 3}).to(at::kBool);
  return t;
}

}  // namespace

TEST_CASE("a prediction is the best option, of equals the first, in every stream") {
  CHECK(best_options(outputs()).equal(at::tensor({0, 0, 1, 2, 1, 2}, at::kLong).view({2, 3})));
}

TEST_CASE("accuracy counts predictions that are among the right options") {
  // Stream 0: right, the first of equals is wrong, the second right option. Stream 1: only the
  // second example.
  CHECK(accuracy(outputs(), targets()).equal(at::tensor({2.0 / 3, 1.0 / 3}, at::kDouble)));
}

TEST_CASE("the loss is the cross-entropy of the first right option among those that are there") {
  const at::Tensor loss = option_loss(outputs(), targets());
  const double first = std::log(std::exp(-1.0) + std::exp(-2.0) + std::exp(-3.0)) + 1,
               third = std::log(std::exp(-5.0) + std::exp(-1.0) + std::exp(-9.0)) + 5;
  REQUIRE(loss.numel() == 2);
  CHECK(loss[0].item<double>() == doctest::Approx((first + std::log(2.0) + third) / 3));
}

TEST_CASE("what is no number is not best, and neither share nor loss of its stream is one") {
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), -none}) {
    Outputs out = outputs();
    out.option_scores[1][2][0].fill_(odd);  // of three options, where the third is best
    CHECK(best_options(out).equal(at::tensor({0, 0, 1, 2, 1, -1}, at::kLong).view({2, 3})));
    for (const at::Tensor& value : {accuracy(out, targets()), option_loss(out, targets())}) {
      CHECK(std::isfinite(value[0].item<double>()));
      CHECK(std::isnan(value[1].item<double>()));
    }
  }
}

TEST_CASE("an example without a right option is answered wrong, and has no loss") {
  Targets none_right = targets();
  none_right.labels[1].fill_(-1);
  none_right.right[1].fill_(false);
  CHECK(accuracy(outputs(), none_right).equal(at::tensor({2.0 / 3, 0.0}, at::kDouble)));
  CHECK_THROWS_WITH_AS(option_loss(outputs(), none_right),
                       "[metric] example 1 has no right option, so it has no cross-entropy",
                       DataError);
}

TEST_CASE("a mean has the standard error of its examples, in every stream") {
  const std::vector<Estimate> shares = estimates(metric_named("accuracy"), outputs(), targets());
  REQUIRE(shares.size() == 2);
  CHECK(shares[0].value == 2.0 / 3);
  // 1, 0, 1: the squares about the mean are 2/3, over n - 1 = 2 and n = 3.
  CHECK(shares[0].standard_error == doctest::Approx(1.0 / 3));
  CHECK(shares[1].standard_error == doctest::Approx(1.0 / 3));
  Outputs one = outputs();
  one.option_scores = one.option_scores.narrow(1, 0, 1);
  Targets right = targets();
  right.labels = right.labels.narrow(0, 0, 1);
  right.right = right.right.narrow(0, 0, 1);
  CHECK(std::isnan(estimates(metric_named("accuracy"), one, right)[0].standard_error));
}

TEST_CASE("F1 and correlation of classes are those of a calculation by hand") {
  // Right: 1 1 1 0 0; answered: 1 1 0 1 0. TP 2, FN 1, FP 1, TN 1.
  Outputs out;
  out.option_scores =
      at::tensor({0.f, 1.f, 0.f, 1.f, 1.f, 0.f, 0.f, 1.f, 1.f, 0.f}).view({1, 5, 2});
  Targets t;
  t.labels = at::tensor({1, 1, 1, 0, 0}, at::kLong);
  const Estimate f = estimates(metric_named("f1_positive"), out, t)[0],
                 m = estimates(metric_named("matthews"), out, t)[0];
  CHECK(f.value == doctest::Approx(2.0 / 3));
  CHECK(m.value == doctest::Approx((2.0 * 1 - 1.0 * 1) / 6));  // sqrt(3 * 3 * 2 * 2)
  // Without one of TP, FN, FP, TN: 2/4, 4/5, 4/5, 4/6, the first of them twice.
  const double mean = (2 * 0.5 + 0.8 + 0.8 + 2.0 / 3) / 5;
  double squares = 0;
  for (const double v : {0.5, 0.5, 0.8, 0.8, 2.0 / 3}) squares += (v - mean) * (v - mean);
  CHECK(f.standard_error == doctest::Approx(std::sqrt(0.8 * squares)));
  out.option_scores[0][0][0].fill_(std::numeric_limits<float>::quiet_NaN());
  CHECK(std::isnan(estimates(metric_named("matthews"), out, t)[0].value));
  t.labels[1].fill_(-1);
  CHECK_THROWS_WITH_AS(estimates(metric_named("f1_positive"), out, t),
                       "[metric] example 1 has no right option, so it is of no class", DataError);
}

TEST_CASE("the mean over the tokens of all answers weighs an answer by its length") {
  const Estimate e = mean_of_tokens(std::vector<double>{2, 9}, std::vector<std::int64_t>{1, 3});
  CHECK(e.value == 11.0 / 4);
  CHECK(e.standard_error == doctest::Approx(0.5));  // without one: 3 and 2
  CHECK(std::isnan(
      mean_of_tokens(std::vector<double>{2}, std::vector<std::int64_t>{1}).standard_error));
}

TEST_CASE("metrics are found by name, and an unknown name has a near one") {
  CHECK(metric_named("accuracy").higher_is_better);
  CHECK(!metric_named("cross_entropy").higher_is_better);
  CHECK_THROWS_WITH_AS(metric_named("accurracy"),
                       "no metric called 'accurracy'; did you mean 'accuracy'?", ConfigError);
}

TEST_CASE("a task is measured by its metric and what is reported beside it, each once") {
  const auto names = [](const char* metric) {
    std::vector<std::string> list;
    for (const Metric* m : metrics_for(metric)) list.push_back(m->name);
    return list;
  };
  using Names = std::vector<std::string>;
  CHECK(names("accuracy") == Names{"accuracy", "cross_entropy"});
  CHECK(names("cross_entropy") == Names{"cross_entropy"});
  CHECK(names("f1_positive") == Names{"f1_positive", "accuracy", "cross_entropy"});
  CHECK(names("matthews") == Names{"matthews", "accuracy", "cross_entropy"});
  CHECK(names("f1") == Names{"f1", "exact_match"});
}

TEST_CASE("a share is shown in percent, a loss as a number") {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  CHECK(shown(metric_named("accuracy"), {0.7136, 0.01431}) == "71.4% ± 1.4");
  CHECK(shown(metric_named("accuracy"), {0.7136, unknown}) == "71.4%");
  CHECK(shown(metric_named("cross_entropy"), {0.51234, 0.00606}) == "0.5123 ± 0.0061");
  CHECK(shown(metric_named("cross_entropy"), {0.51234, unknown}) == "0.5123");
}
