#include "core/run/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace mezo {

namespace {

constexpr std::size_t window = 15;        // losses whose median counts
constexpr int few = 10, many = 100;       // steps in a row
constexpr double learned = 0.75;          // of chance and of the start: what was clearly better
constexpr double as_good_as_best = 0.05;  // a still loss this close to the best has converged

double median_of(const std::deque<double>& values) {
  std::vector<double> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace

double chance_of(const std::vector<Question>& questions) {
  double sum = 0;
  for (const Question& q : questions)
    sum += std::log(std::max<double>(1, static_cast<double>(q.options())));
  return sum / static_cast<double>(questions.size());
}

void DivergenceWatch::see(const LoggedStep& step) {
  applied_ = applied_ || step.applied;
  lost_ = step.applied ? 0 : lost_ + 1;
  still_ = step.moved ? 0 : still_ + 1;
  if (lost_ >= few && !diverged_)
    diverged_ = fmt::format("the loss was not finite for {} steps in a row", lost_);
  if (!std::isfinite(step.loss)) return;
  window_.push_back(step.loss);
  if (window_.size() > window) window_.pop_front();
  if (window_.size() == window) judge(step.step, median_of(window_));
}

void DivergenceWatch::judge(std::uint32_t step, double median) {
  if (!first_) first_ = median;
  if (!best_ || median < best_->loss) best_ = {step, median};
  const double worst = std::max(chance_, best_->loss), start = std::max(chance_, *first_);
  high_ = median > 2 * worst + 1 ? high_ + 1 : 0;
  back_ = median >= start && best_->loss < learned * std::min(chance_, *first_) ? back_ + 1 : 0;
  if (diverged_) return;
  const std::string now = fmt::format(
      "the loss is {:.4g} by now (median of {} steps), and was {:.4g} "
      "around step {}",
      median, window, best_->loss, best_->step);
  if (high_ >= few)
    diverged_ = now;
  else if (back_ >= many)
    diverged_ = fmt::format("{}; chance is {:.4g}", now, chance_);
  else if (still_ >= many && median > std::min(best_->loss + as_good_as_best, 0.95 * chance_))
    diverged_ = fmt::format("no perturbation changed the loss for {} steps, and {}", still_, now);
}

}  // namespace mezo
