#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "quadratic.h"
#include "spsa_step.h"
#include "toy_store.h"

using namespace mezo;

TEST_CASE("the projected gradient of a quadratic is its gradient along z") {
  Quadratic q;
  ExactWeights weights(q.store, {true}, {7});
  const double at_theta = Quadratic::loss(q.store.data(q.x.weight));
  const StepResult step =
      spsa_step(weights, {1e-2f, 2, 0}, 4, 1e-3, [&](ParameterSource& s) { return q.losses(s); });
  REQUIRE(step.scalars.size() == 2);
  CHECK(step.applied);
  for (std::uint32_t p = 0; p < 2; ++p) {
    double expected = 0;
    const auto z = q.z(7, 4, p);
    for (std::int64_t i = 0; i < Quadratic::n; ++i)
      expected += q.gradient(i) * double{z[static_cast<std::size_t>(i)]};
    CHECK(double{step.scalars[p]} == doctest::Approx(expected).epsilon(1e-4));
  }
  CHECK(step.loss == doctest::Approx(at_theta).epsilon(0.02));  // up to eps^2
}

TEST_CASE("n probes move theta by lr g / n along each") {
  Quadratic q;
  const std::vector<float> before(q.store.data(q.x.weight),
                                  q.store.data(q.x.weight) + Quadratic::n);
  ExactWeights weights(q.store, {true}, {7});
  const StepResult step =
      spsa_step(weights, {1e-3f, 3, 0.1}, 9, 1e-3, [&](ParameterSource& s) { return q.losses(s); });
  weights.apply_pending();
  OwnedUpdate update{9, static_cast<float>(1e-3 * 0.1), {}};
  for (const float g : step.scalars)
    update.terms.push_back({update.step, static_cast<std::uint32_t>(update.terms.size()),
                            static_cast<float>(1e-3 * double{g} / 3)});
  std::vector<float> expected = before;
  advance_reference(expected.data(), Quadratic::n, 0, philox_key(7, "x.weight"), {update.view()});
  CHECK(std::memcmp(expected.data(), q.store.data(q.x.weight), Quadratic::n * sizeof(float)) == 0);
}

TEST_CASE("estimates over many probes point along the gradient") {
  Quadratic q;
  constexpr int probes = 1500;
  ExactWeights weights(q.store, {true}, {8});
  const StepResult step = spsa_step(weights, {1e-3f, probes, 0}, 0, 0.0,
                                    [&](ParameterSource& s) { return q.losses(s); });
  std::vector<double> mean(Quadratic::n);
  for (std::uint32_t p = 0; p < probes; ++p) {
    const auto z = q.z(8, 0, p);
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] += double{step.scalars[p]} * double{z[i]} / probes;
  }
  double dot = 0, mm = 0, gg = 0;
  for (std::int64_t i = 0; i < Quadratic::n; ++i) {
    const double m = mean[static_cast<std::size_t>(i)], g = q.gradient(i);
    dot += m * g;
    mm += m * m;
    gg += g * g;
  }
  // The mean of N estimates g'z z has squared length |g|^2 (N + d + 1) / N in expectation, and
  // |g|^2 of it along g. Seen across g, that is d - 1 independent directions: a relative spread of
  // sqrt(2 / (d - 1)) in the part that is not along g.
  const double d = Quadratic::n, cosine = dot / std::sqrt(mm * gg),
               expected = std::sqrt(probes / (probes + d + 1));
  const double along = std::sqrt(2.0 / probes),
               across = (1 - expected * expected) / 2 * (std::sqrt(2 / (d - 1)) + 2 * along);
  CAPTURE(expected);
  CHECK(std::abs(cosine - expected) < 3 * across);
  CHECK(dot / gg == doctest::Approx(1).epsilon(
                        3 * along));  // unbiased: g'z squared has mean |g|^2 and variance 2 |g|^4
}

TEST_CASE("a one-sided estimate compares with the loss at theta, which is evaluated once") {
  for (const bool together : {false, true}) {
    Quadratic q;
    const double at_theta = Quadratic::loss(q.store.data(q.x.weight));
    ExactWeights weights(q.store, {true}, {7});
    SpsaOptions options{1e-2f, 5, 0};
    options.one_sided = true;
    options.together = together;
    std::size_t losses = 0, forwards = 0;
    const StepResult step = spsa_step(weights, options, 4, 1e-3, [&](ParameterSource& s) {
      losses += static_cast<std::size_t>(s.streams());
      ++forwards;
      return q.losses(s);
    });
    CHECK(losses == 6);  // n + 1
    CHECK(forwards == (together ? 1 : 5));
    CHECK(step.loss == doctest::Approx(at_theta).epsilon(1e-12));
    for (std::uint32_t p = 0; p < 5; ++p) {
      const double plus = q.loss_at(q.z(7, 4, p), 1e-2f);
      CHECK(double{step.scalars[p]} ==
            doctest::Approx((plus - at_theta) / double{1e-2f}).epsilon(1e-6));
    }
  }
}

TEST_CASE("streams together give what turns give, from as many losses") {
  const auto run = [](bool together, std::size_t& losses, std::size_t& forwards) {
    Quadratic q;
    ExactWeights weights(q.store, {true}, {7});
    SpsaOptions options{1e-2f, 6, 0.1};
    options.together = together;
    const StepResult step = spsa_step(weights, options, 4, 1e-3, [&](ParameterSource& s) {
      losses += static_cast<std::size_t>(s.streams());
      ++forwards;
      return q.losses(s);
    });
    weights.apply_pending();
    std::vector<float> after(q.store.data(q.x.weight), q.store.data(q.x.weight) + Quadratic::n);
    after.insert(after.end(), step.scalars.begin(), step.scalars.end());
    return after;
  };
  std::size_t losses[2] = {}, forwards[2] = {};
  const auto turns = run(false, losses[0], forwards[0]),
             together = run(true, losses[1], forwards[1]);
  CHECK(same_bytes(turns, together));  // each loss is a function of its stream alone here
  CHECK(losses[0] == 12);
  CHECK(losses[1] == 12);
  CHECK(forwards[0] == 6);
  CHECK(forwards[1] == 1);
}

TEST_CASE("a projected gradient beyond the clip counts as the clip, and is reported whole") {
  Quadratic q;
  const std::vector<float> before(q.store.data(q.x.weight),
                                  q.store.data(q.x.weight) + Quadratic::n);
  ExactWeights weights(q.store, {true}, {7});
  SpsaOptions options{1e-2f, 3, 0};
  options.clip = 2;
  int call = 0;
  const double epsilon = options.epsilon;
  const StepResult step = spsa_step(weights, options, 9, 1e-3, [&](ParameterSource&) {
    const double g[] = {50.0, -7.0, 1.5};  // both sides of the clip, and within
    return std::vector<double>{2 * epsilon * g[call++], 0.0};
  });
  CHECK(step.scalars[0] == 50.0f);
  CHECK(step.scalars[1] == -7.0f);
  weights.apply_pending();
  const OwnedUpdate update{
      9, 0.0f,
      terms_of(9, {static_cast<float>(1e-3 * 2 / 3), static_cast<float>(1e-3 * -2 / 3),
                   static_cast<float>(1e-3 * 1.5 / 3)})};
  std::vector<float> expected = before;
  advance_reference(expected.data(), Quadratic::n, 0, philox_key(7, "x.weight"), {update.view()});
  CHECK(std::memcmp(expected.data(), q.store.data(q.x.weight), Quadratic::n * sizeof(float)) == 0);
}

TEST_CASE("with signs the projected gradient is the gradient along signs, and so is the step") {
  Quadratic q;
  const std::vector<float> before(q.store.data(q.x.weight),
                                  q.store.data(q.x.weight) + Quadratic::n);
  const auto z = q.z(7, 4, 0, Distribution::rademacher);
  double expected = 0;
  for (std::int64_t i = 0; i < Quadratic::n; ++i)
    expected += q.gradient(i) * double{z[static_cast<std::size_t>(i)]};
  ExactWeights weights(q.store, {true}, {7, Distribution::rademacher});
  const StepResult step =
      spsa_step(weights, {1e-2f, 1, 0}, 4, 1e-3, [&](ParameterSource& s) { return q.losses(s); });
  const float g = step.scalars[0];
  CHECK(double{g} == doctest::Approx(expected).epsilon(1e-4));
  weights.apply_pending();
  const float move = static_cast<float>(1e-3 * double{g});
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(q.store.data(q.x.weight)[i] == before[i] - move * z[i]);
}

TEST_CASE("a loss that is not finite applies nothing") {
  Quadratic q;
  const std::vector<float> before(q.store.data(q.x.weight),
                                  q.store.data(q.x.weight) + Quadratic::n);
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e300}) {
    ExactWeights weights(q.store, {true}, {7});
    int calls = 0;
    const StepResult step = spsa_step(weights, {1e-3f, 3, 0.1}, 0, 1e-3, [&](ParameterSource& s) {
      auto pair = q.losses(s);
      if (++calls == 2) pair[0] = bad;
      return pair;
    });
    CHECK(!step.applied);
    CHECK(calls == 3);
    CHECK(std::isfinite(step.scalars[0]));
    CHECK(!std::isfinite(step.scalars[1]));
    weights.apply_pending();
    CHECK(std::memcmp(before.data(), q.store.data(q.x.weight), Quadratic::n * sizeof(float)) == 0);
  }
}

TEST_CASE("a coefficient that is not finite applies nothing") {
  Quadratic q;
  const std::vector<float> before(q.store.data(q.x.weight),
                                  q.store.data(q.x.weight) + Quadratic::n);
  ExactWeights weights(q.store, {true}, {7});
  const StepResult step = spsa_step(weights, {1e-3f, 1, 0}, 0, 1e10, [&](ParameterSource&) {
    return std::vector<double>{1e30, 0.0};
  });
  CHECK(!step.applied);
  weights.apply_pending();
  CHECK(std::memcmp(before.data(), q.store.data(q.x.weight), Quadratic::n * sizeof(float)) == 0);
}
