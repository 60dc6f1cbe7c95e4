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

struct Metric {
  const char* name;
  // [S] fp64, of normalised option scores, or of generated texts.
  at::Tensor (*value)(const Outputs&, const Targets&);
  bool percent;  // shown as a share of 100, or as a number
  bool higher_is_better;
  bool of_texts;
};

MEZO_API std::span<const Metric> all_metrics();

// Throws ConfigError with near names where there is none of that name.
MEZO_API const Metric& metric_named(std::string_view name);

// What an evaluation reports for a task: the metric that it names, and the loss over options or the
// other metric of texts.
MEZO_API std::vector<const Metric*> metrics_for(const std::string& name);

// "71.4%" or "0.5123".
MEZO_API std::string shown(const Metric&, double value);

}  // namespace mezo
