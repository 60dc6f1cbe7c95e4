#pragma once
// The simplest problem with a known optimum. Used by the tests of estimators.

#include <cmath>
#include <vector>

#include "core/zo/exact_weights.h"

namespace mezo {

// One matrix of 1 x n, with loss(x) = sum over i of (i + 1) x_i^2 / 2, so that the gradient at x is
// (i + 1) x_i.
struct Quadratic {
  static constexpr std::int64_t n = 48;
  Declaration declaration;
  Linear x = declaration.linear("x", n, 1, false);
  ParameterStore store{declaration.parameters()};

  Quadratic() { restart(); }
  void restart() {
    for (std::int64_t i = 0; i < n; ++i)
      store.data(x.weight)[i] = static_cast<float>(i % 5 - 2) / 4;
  }
  static double loss(const float* x) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i)
      sum += 0.5 * static_cast<double>(i + 1) * double{x[i]} * double{x[i]};
    return sum;
  }
  std::vector<double> losses(ParameterSource& source) const {
    const at::Tensor pair = source.whole(x.weight);
    const float* p = pair.const_data_ptr<float>();
    std::vector<double> all;
    for (int s = 0; s < source.streams(); ++s) all.push_back(loss(p + s * n));
    return all;
  }
  std::vector<float> z(std::uint64_t seed, std::uint32_t step, std::uint32_t probe,
                       Distribution distribution = Distribution::gaussian) const {
    std::vector<float> z(n);
    fill_reference(distribution, {philox_key(seed, "x.weight"), step, probe}, 0, n, z.data());
    return z;
  }
  // At theta + epsilon z.
  double loss_at(const std::vector<float>& z, float epsilon) {
    std::vector<float> moved(n);
    for (std::size_t i = 0; i < moved.size(); ++i)
      moved[i] = std::fma(epsilon, z[i], store.data(x.weight)[i]);
    return loss(moved.data());
  }
  double gradient(std::int64_t i) {
    return static_cast<double>(i + 1) * double{store.data(x.weight)[i]};
  }
};

}  // namespace mezo
