#include "core/train/lbfgs.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <tuple>
#include <vector>

namespace mezo {

namespace {

double product_of(const at::Tensor& a, const at::Tensor& b) { return (a * b).sum().item<double>(); }

// What a step changed: the point, the gradient, and one over their product.
struct Pair {
  at::Tensor s, y;
  double rho;
};

// The two-loop recursion: the gradient times the remembered inverse of the curvature.
at::Tensor direction(const std::deque<Pair>& pairs, const at::Tensor& gradient) {
  at::Tensor q = -gradient;
  std::vector<double> alpha;
  for (auto p = pairs.rbegin(); p != pairs.rend(); ++p) {
    alpha.push_back(p->rho * product_of(p->s, q));
    q = q - p->y * alpha.back();
  }
  if (!pairs.empty()) {
    const Pair& last = pairs.back();
    q = q / (last.rho * product_of(last.y, last.y));
  }
  for (const Pair& p : pairs) {
    q = q + p.s * (alpha.back() - p.rho * product_of(p.y, q));
    alpha.pop_back();
  }
  return q;
}

}  // namespace

at::Tensor minimise(const ValueAndGradient& function, at::Tensor x, const LbfgsOptions& options) {
  constexpr double enough = 1e-4;  // of the decrease that the slope promises
  constexpr int most_halvings = 60;
  std::deque<Pair> pairs;
  auto [value, gradient] = function(x);
  for (int i = 0; i < options.most_iterations; ++i) {
    if (gradient.abs().max().item<double>() <= options.tolerance) break;
    const at::Tensor along = direction(pairs, gradient);
    const double slope = product_of(along, gradient);
    double length =
        pairs.empty() ? 1 / std::max(1.0, std::sqrt(product_of(gradient, gradient))) : 1;
    at::Tensor next = x + along * length;
    auto there = function(next);
    for (int h = 0; h < most_halvings && !(there.first <= value + enough * length * slope); ++h) {
      length /= 2;
      next = x + along * length;
      there = function(next);
    }
    if (!(there.first < value)) break;  // as low as the numbers tell apart
    const at::Tensor s = next - x, y = there.second - gradient;
    if (const double sy = product_of(s, y); sy > 0) pairs.push_back({s, y, 1 / sy});
    if (pairs.size() > static_cast<std::size_t>(options.memory)) pairs.pop_front();
    x = next;
    std::tie(value, gradient) = there;
  }
  return x;
}

}  // namespace mezo
