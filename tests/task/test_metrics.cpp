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
                       "[loss] example 1 has no right option, so it has no cross-entropy",
                       DataError);
}

TEST_CASE("metrics are found by name, and an unknown name has a near one") {
  CHECK(metric_named("accuracy").higher_is_better);
  CHECK(!metric_named("loss").higher_is_better);
  CHECK_THROWS_WITH_AS(metric_named("accurracy"),
                       "no metric called 'accurracy'; did you mean 'accuracy'?", ConfigError);
}

TEST_CASE("a task is measured by its metric and the loss, each once") {
  REQUIRE(metrics_for("accuracy").size() == 2);
  CHECK(std::string(metrics_for("accuracy")[0]->name) == "accuracy");
  CHECK(std::string(metrics_for("accuracy")[1]->name) == "loss");
  CHECK(metrics_for("loss").size() == 1);
}

TEST_CASE("a share is shown in percent, a loss as a number") {
  CHECK(shown(metric_named("accuracy"), 0.7136) == "71.4%");
  CHECK(shown(metric_named("loss"), 0.51234) == "0.5123");
}
