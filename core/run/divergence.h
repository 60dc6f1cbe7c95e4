#pragma once
// Has a training run gone wrong? Judged from what its steps show, which is all in metrics.jsonl, so
// that a resume can judge by it too. Losses of single batches jump about, so it is the median of
// the last ones that counts.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/record/run_log.h"
#include "core/task/question.h"

namespace mezo {

// The mean cross-entropy of a model that knows nothing of the options.
MEZO_API double chance_of(const std::vector<Question>& questions);

class MEZO_API DivergenceWatch {
 public:
  // `chance`: the mean logarithm of the number of options, which a model that knows nothing has for
  // its cross-entropy. Losses that are worse than the best but below it are no reason to stop.
  explicit DivergenceWatch(double chance) : chance_(chance) {}

  void see(const LoggedStep& step);

  // Why the run has diverged, as a clause ("the loss was not finite for 10 steps in a row"), from
  // the step on at which one of these held:
  // - 10 steps in a row whose loss, or whose gradients, were not finite: nothing was applied;
  // - 10 in a row at which the median was above 2 max(chance, the best median) + 1;
  // - 100 in a row at which it was no better than chance nor than at the start, though it had been
  //   a quarter below both;
  // - 100 in a row at which no perturbation changed a loss that is close to chance, or had been
  //   lower before.
  const std::optional<std::string>& diverged() const { return diverged_; }

  // The step whose median loss was the lowest: 0 where there is none.
  std::uint32_t last_good() const { return best_ ? best_->step : 0; }
  bool ever_applied() const { return applied_; }

 private:
  struct Best {
    std::uint32_t step;
    double loss;
  };
  void judge(std::uint32_t step, double median);

  double chance_;
  std::deque<double> window_;  // of finite losses
  std::optional<Best> best_;
  std::optional<double> first_;                     // median
  int lost_ = 0, high_ = 0, back_ = 0, still_ = 0;  // steps in a row
  bool applied_ = false;
  std::optional<std::string> diverged_;
};

}  // namespace mezo
