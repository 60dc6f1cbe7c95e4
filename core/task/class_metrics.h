#pragma once
// Metrics that are no means over examples, but follow from how often examples of each class were
// answered as each: F1 of a class, Matthews' correlation.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/task/metrics.h"

namespace mezo {

// A class is an option's place. One example less is one less in one cell, so leaving out each
// example in turn takes as many looks as there are cells.
struct Confusion {
  std::size_t classes = 0;
  std::vector<std::int64_t> cells;  // [classes][classes]: of a right class, as the answered one
  bool numbers = true;              // false: an answer was no number, and nothing follows

  std::int64_t at(std::size_t right, std::size_t answered) const {
    return cells[right * classes + answered];
  }
  std::int64_t of_right(std::size_t one) const;
  std::int64_t of_answered(std::size_t one) const;
  std::int64_t examples() const;
};

// `answered`: -1 where an answer was no number. Throws DataError where no class is right (-1).
Confusion count_classes(std::span<const std::int64_t> right, std::span<const std::int64_t> answered,
                        std::size_t classes);

// F1 of the second of two classes, 2 TP / (2 TP + FP + FN): as GLUE measures QQP and MRPC. 0 where
// it is neither right nor answered.
double f1_positive(const Confusion&);

// Matthews' correlation, from -1 to 1, of any number of classes (Gorodkin 2004): as GLUE measures
// CoLA. 0 where all examples have one class, or got one.
double matthews(const Confusion&);

// The value, and sqrt((n - 1) / n * sum (t_i - mean t)^2) over the values t_i without one example.
Estimate jackknife(double (*metric)(const Confusion&), Confusion);

}  // namespace mezo
