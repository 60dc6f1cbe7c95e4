#include "core/zo/schedule.h"

#include <algorithm>

namespace mezo {

namespace {

// sin(x) for |x| <= pi / 2: Taylor's series up to x^21 / 21!, whose next term is below 2e-18 there.
double sine(double x) {
  const double xx = x * x;
  double term = x, sum = x;
  for (int k = 2; k <= 20; k += 2) {
    term = -term * xx / (k * (k + 1));
    sum += term;
  }
  return sum;
}

// cos(pi t) for t in [0, 1].
double cosine_of_half_turns(double t) { return sine(3.14159265358979323846 * (0.5 - t)); }

}  // namespace

double learning_rate_at(const Schedule& s, std::uint32_t step) {
  if (step < s.warmup)
    return s.learning_rate * (static_cast<double>(step + 1) / static_cast<double>(s.warmup));
  if (s.decay == Decay::constant) return s.learning_rate;
  const std::uint32_t falling = std::max(s.steps, s.warmup + 1) - s.warmup;
  const std::uint32_t left = std::max(s.steps, step) - step;
  const double share = static_cast<double>(left) / falling;
  if (s.decay == Decay::linear) return s.learning_rate * share;
  return s.learning_rate * (0.5 * (1.0 + cosine_of_half_turns(1.0 - share)));
}

}  // namespace mezo
