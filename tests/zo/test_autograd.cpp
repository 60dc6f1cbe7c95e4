// The estimates of a small model against the gradient by automatic differentiation.
#include <ATen/Parallel.h>

#include <cmath>

#include "differentiable.h"

using namespace mezo;

TEST_CASE("a projected gradient is autograd's gradient along z") {
  Training t;
  const std::vector<double> gradient = gradient_of(t);
  for (std::uint32_t step = 0; step < 10; ++step) {
    const StepResult estimate = spsa_step(t.weights, {1e-3f, 1, 0}, step, 0.0,
                                          [&](ParameterSource& s) { return t.losses(s, batch); });
    const auto z = z_of_all(t, step, 0);
    const double slope = dot(gradient, {z.begin(), z.end()});
    // 1% of a usual one: epsilon squared and the rounding of losses.
    CHECK(std::abs(double{estimate.scalars[0]} - slope) <
          0.01 * std::sqrt(dot(gradient, gradient)));
  }
}

TEST_CASE("the mean of N estimates lies at the angle to autograd's gradient that N says") {
  at::set_num_threads(1);  // the model is too small to share
  Training t;
  const std::vector<double> gradient = gradient_of(t);
  constexpr int steps = 4, probes = 250;
  constexpr double n = steps * probes;
  std::vector<double> mean(gradient.size());
  for (std::uint32_t step = 0; step < steps; ++step) {
    const StepResult estimate = spsa_step(t.weights, {1e-3f, probes, 0}, step, 0.0,
                                          [&](ParameterSource& s) { return t.losses(s, batch); });
    for (std::uint32_t p = 0; p < probes; ++p) {
      const auto z = z_of_all(t, step, p);
      for (std::size_t i = 0; i < mean.size(); ++i)
        mean[i] += double{estimate.scalars[p]} * double{z[i]} / n;
    }
  }
  const double along = dot(mean, gradient), gg = dot(gradient, gradient);
  const double cosine = along / std::sqrt(dot(mean, mean) * gg);
  // The mean of N estimates g'z z has squared length |g|^2 (N + d + 1) / N in expectation, |g|^2 of
  // it along g. Its spread comes from the part across, d - 1 directions, and from the part along.
  const double d = static_cast<double>(gradient.size()), expected = std::sqrt(n / (n + d + 1));
  const double sigma =
      (1 - expected * expected) * expected / 2 * (std::sqrt(2 / (d - 1)) + 2 * std::sqrt(2 / n));
  std::printf("cosine of %.0f estimates of %.0f numbers: %.4f, expected %.4f, sigma %.4f\n", n, d,
              cosine, expected, sigma);
  CHECK(std::abs(cosine - expected) < 3 * sigma);
  CHECK(along / gg == doctest::Approx(1).epsilon(3 * std::sqrt(2 / n)));  // unbiased
}
