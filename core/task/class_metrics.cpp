#include "core/task/class_metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace mezo {

namespace {

double as_double(std::int64_t n) { return static_cast<double>(n); }

}  // namespace

std::int64_t Confusion::of_right(std::size_t one) const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < classes; ++i) sum += at(one, i);
  return sum;
}

std::int64_t Confusion::of_answered(std::size_t one) const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < classes; ++i) sum += at(i, one);
  return sum;
}

std::int64_t Confusion::examples() const {
  return std::accumulate(cells.begin(), cells.end(), std::int64_t{0});
}

Confusion count_classes(std::span<const std::int64_t> right, std::span<const std::int64_t> answered,
                        std::size_t classes) {
  Confusion counts{classes, std::vector<std::int64_t>(classes * classes)};
  for (std::size_t e = 0; e < right.size(); ++e) {
    if (right[e] < 0)
      throw DataError(
          fmt::format("[metric] example {} has no right option, so it is of no class", e));
    if (answered[e] < 0)
      counts.numbers = false;
    else
      ++counts.cells[static_cast<std::size_t>(right[e]) * classes +
                     static_cast<std::size_t>(answered[e])];
  }
  return counts;
}

double f1_positive(const Confusion& counts) {
  const std::int64_t either = counts.of_right(1) + counts.of_answered(1);
  return either == 0 ? 0 : 2 * as_double(counts.at(1, 1)) / as_double(either);
}

double matthews(const Confusion& counts) {
  const double n = as_double(counts.examples());
  double right = 0, both = 0, true_squares = 0, answered_squares = 0;
  for (std::size_t i = 0; i < counts.classes; ++i) {
    const double t = as_double(counts.of_right(i)), p = as_double(counts.of_answered(i));
    right += as_double(counts.at(i, i));
    both += t * p;
    true_squares += t * t;
    answered_squares += p * p;
  }
  const double spread = (n * n - answered_squares) * (n * n - true_squares);
  return spread == 0 ? 0 : (right * n - both) / std::sqrt(spread);
}

Estimate jackknife(double (*metric)(const Confusion&), Confusion counts) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  if (!counts.numbers) return {none, none};
  const double value = metric(counts), n = as_double(counts.examples());
  std::vector<double> without(counts.cells.size());
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < without.size(); ++i) {
    if (counts.cells[i] == 0) continue;
    --counts.cells[i];
    without[i] = metric(counts);
    ++counts.cells[i];
    mean += as_double(counts.cells[i]) * without[i] / n;
  }
  for (std::size_t i = 0; i < without.size(); ++i)
    squares += as_double(counts.cells[i]) * (without[i] - mean) * (without[i] - mean);
  return {value, n < 2 ? none : std::sqrt((n - 1) / n * squares)};
}

}  // namespace mezo
