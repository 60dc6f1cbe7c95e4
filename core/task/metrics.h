#pragma once
// How answers are measured: named functions of what a model answered and what is right. A task file
// names one (`metric: accuracy`), evaluation computes it, and an objective plugin may call the same
// function. Safe to call from any thread.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/task/objective.h"

namespace mezo {

// [S, E] int64: the place of the option with the best score; of equals the first. -1 where one of
// the scores is NaN or plus infinity: nothing is best among what are no numbers.
MEZO_API at::Tensor best_options(const Outputs&);

// [S] fp64: the share of examples whose best option is a right one; NaN where one has no best
// option.
MEZO_API at::Tensor accuracy(const Outputs&, const Targets&);

// [S] fp64: the mean over examples of the softmax cross-entropy over their options, for the first
// right one. Computed in double, example after example. Throws DataError where no option is right.
MEZO_API at::Tensor option_loss(const Outputs&, const Targets&);

// [S] fp64: the mean over examples of how well the generated text agrees with the right one that
// it agrees with best: by the words that they share (f1), and as a whole (exact_match). As SQuAD
// measures them (core/task/text_match.h). Throws DataError where an example has no right text.
MEZO_API at::Tensor f1(const Outputs&, const Targets&);
MEZO_API at::Tensor exact_match(const Outputs&, const Targets&);

struct Confusion;  // core/task/class_metrics.h

struct Metric {
  const char* name;
  // [S, E] fp64, of normalised option scores or of generated texts: the metric is the mean over
  // examples. Or what follows from how often each class was answered as each, and is no mean.
  at::Tensor (*of_each)(const Outputs&, const Targets&);
  double (*of_classes)(const Confusion&);
  bool percent;  // shown as a share of 100, or as a number
  bool higher_is_better;
  bool of_texts;
  std::size_t classes = 0;  // options that a task must have; 0: any number
};

// A metric of one stream and its standard error, which is NaN where it has none: of fewer than two
// examples, or where the value is no number.
struct Estimate {
  double value = 0, standard_error = 0;
};

// [S]. The standard error of a mean is sd / sqrt(E), the sd with E - 1 degrees of freedom; of other
// metrics that of the jackknife (Efron and Stein 1981). It says how far another sample of as many
// examples would differ, and nothing of other seeds of training. Throws what the metric throws.
MEZO_API std::vector<Estimate> estimates(const Metric&, const Outputs&, const Targets&);

MEZO_API std::span<const Metric> all_metrics();

// What right answers alone are measured by (Needs::right_answer): the mean cross-entropy of their
// tokens, of all examples together. No task names it, and it is not computed of Outputs, but of
// each example's sum and number of tokens. The standard error is the jackknife's.
MEZO_API const Metric& answer_cross_entropy();
MEZO_API Estimate mean_of_tokens(std::span<const double> sums,
                                 std::span<const std::int64_t> counts);

// Throws ConfigError with near names where there is none of that name.
MEZO_API const Metric& metric_named(std::string_view name);

// What an evaluation reports for a task: the metric that it names, then accuracy (beside a metric
// of classes) and the cross-entropy over options, or the other metric of texts.
MEZO_API std::vector<const Metric*> metrics_for(const std::string& name);

// "71.4% ± 1.4" or "0.5123 ± 0.0061"; without the error where that is NaN.
MEZO_API std::string shown(const Metric&, const Estimate&);

}  // namespace mezo
