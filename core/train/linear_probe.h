#pragma once
// Linear probing: multinomial logistic regression from hidden rows to labels, without an intercept,
// its L2 strength chosen by cross-validation. As scikit-learn's LogisticRegressionCV does it
// (fit_intercept=False, 10 strengths, 5 folds): mean loss + |w|^2 / (2 C n), folds stratified
// without shuffling, the smallest C of the best mean accuracy, and two classes as one vector.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/api.h"

namespace mezo {

struct LinearProbe {
  at::Tensor weights;            // [classes, width] fp64; of two classes the first is zero
  std::vector<double> inverses;  // C, from 1e-4 to 1e4
  std::vector<double> accuracy;  // of each, mean over the folds
  double inverse = 0;            // that was chosen
};

// `features` [n, width] fp64 on the host, `labels` [n] from 0 to `classes` - 1, of which two at
// least occur: std::logic_error.
MEZO_API LinearProbe fit_probe(const at::Tensor& features, const std::vector<std::int64_t>& labels,
                               std::int64_t classes);

// Log-probabilities of the classes, [n, classes] fp64.
MEZO_API at::Tensor probe_scores(const LinearProbe& probe, const at::Tensor& features);

// The fold of each example, 0 to folds - 1: each fold has a class as often as the others, within
// one, and earlier examples lie in earlier folds.
MEZO_API std::vector<std::int64_t> stratified_folds(const std::vector<std::int64_t>& labels,
                                                    std::int64_t folds);

}  // namespace mezo
