// The estimates of a small model against the gradient by automatic differentiation. The same model
// and the same Ops serve both: a ParameterSource that gives tensors which require gradients is all
// that differs.
#include <ATen/Parallel.h>

#include <cmath>

#include "small_model.h"

using namespace mezo;

namespace {

class Differentiable : public ParameterSource {
 public:
  explicit Differentiable(ParameterStore& store) {
    for (int i = 0; i < static_cast<int>(store.specs().size()); ++i)
      tensors_.push_back(store.tensor({i}).clone().requires_grad_(true));
  }
  int streams() const override { return 1; }
  at::Tensor whole(Parameter p) override { return of(p).unsqueeze(0); }
  at::Tensor rows(Parameter p, const at::Tensor& entries) override {
    return of(p).index_select(0, entries).unsqueeze(0);
  }
  const at::Tensor& of(Parameter p) const { return tensors_[static_cast<std::size_t>(p.index)]; }

 private:
  std::vector<at::Tensor> tensors_;
};

constexpr std::uint32_t batch = 3;

// All parameters' gradients, one after another.
std::vector<double> gradient_of(Training& t) {
  Differentiable source(t.store);
  t.loss(source, batch).sum().backward();
  std::vector<double> all;
  for (int i = 0; i < static_cast<int>(t.store.specs().size()); ++i) {
    const at::Tensor g = source.of({i}).grad().contiguous();
    REQUIRE(g.defined());
    all.insert(all.end(), g.const_data_ptr<float>(), g.const_data_ptr<float>() + g.numel());
  }
  return all;
}

std::vector<float> z_of_all(const Training& t, std::uint32_t step, std::uint32_t probe) {
  std::vector<float> z;
  for (const ParameterSpec& spec : t.store.specs()) {
    std::vector<float> own(static_cast<std::size_t>(spec.elements()));
    fill_reference(Distribution::gaussian, {philox_key(5, spec.name), step, probe}, 0,
                   spec.elements(), own.data());
    z.insert(z.end(), own.begin(), own.end());
  }
  return z;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

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
