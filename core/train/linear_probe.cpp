#include "core/train/linear_probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>

#include "core/forward/index_tensor.h"
#include "core/train/lbfgs.h"

namespace mezo {

namespace {

constexpr std::int64_t folds = 5;
constexpr int strengths = 10;

struct Examples {
  at::Tensor features;  // [n, width]
  at::Tensor labels;    // [n]

  Examples at(const std::vector<std::int64_t>& places) const {
    const at::Tensor index = index_tensor(places);
    return {features.index_select(0, index), labels.index_select(0, index)};
  }
};

// Of two classes only the second's vector is free.
at::Tensor all_vectors(const at::Tensor& free, std::int64_t classes) {
  return classes == 2 ? at::cat({at::zeros_like(free), free}) : free;
}

at::Tensor log_shares(const at::Tensor& features, const at::Tensor& weights) {
  return at::log_softmax(features.matmul(weights.t()), -1);
}

// The free vectors of the regression at one strength, from a start.
at::Tensor fit(const Examples& e, std::int64_t classes, double inverse, const at::Tensor& start) {
  const auto n = static_cast<double>(e.labels.size(0));
  const at::Tensor right = e.labels.unsqueeze(1);
  const auto function = [&](const at::Tensor& free) {
    const at::Tensor shares = log_shares(e.features, all_vectors(free, classes));
    const double loss = -shares.gather(1, right).sum().item<double>() / n +
                        (free * free).sum().item<double>() / (2 * inverse * n);
    at::Tensor error = shares.exp();
    error.scatter_add_(1, right, at::zeros_like(right, error.options()).sub_(1));
    at::Tensor gradient = error.t().matmul(e.features) / n;
    if (classes == 2) gradient = gradient.narrow(0, 1, 1);
    return std::pair(loss, gradient + free / (inverse * n));
  };
  return minimise(function, start);
}

double accuracy_of(const Examples& e, const at::Tensor& weights) {
  const at::Tensor best = e.features.matmul(weights.t()).argmax(1);
  return (best == e.labels).to(at::kDouble).mean().item<double>();
}

at::Tensor start_of(const Examples& e, std::int64_t classes) {
  return at::zeros({classes == 2 ? 1 : classes, e.features.size(1)}, e.features.options());
}

// Adds each strength's accuracy on the examples that the fold leaves out.
void add_fold(const Examples& all, const std::vector<std::int64_t>& fold_of, std::int64_t fold,
              std::int64_t classes, LinearProbe& probe) {
  std::vector<std::int64_t> inside, outside;
  for (std::size_t i = 0; i < fold_of.size(); ++i)
    (fold_of[i] == fold ? outside : inside).push_back(static_cast<std::int64_t>(i));
  if (inside.empty() || outside.empty()) return;
  const Examples trained = all.at(inside), judged = all.at(outside);
  at::Tensor free = start_of(all, classes);
  for (std::size_t c = 0; c < probe.inverses.size(); ++c) {
    free = fit(trained, classes, probe.inverses[c], free);
    probe.accuracy[c] += accuracy_of(judged, all_vectors(free, classes)) / folds;
  }
}

}  // namespace

std::vector<std::int64_t> stratified_folds(const std::vector<std::int64_t>& labels,
                                           std::int64_t count) {
  // Classes in the order in which they appear, each spread over the folds as if all examples were
  // dealt in that order.
  std::vector<std::int64_t> order;
  std::map<std::int64_t, std::int64_t> often;
  for (const std::int64_t label : labels)
    if (often[label]++ == 0) order.push_back(label);
  std::map<std::int64_t, std::vector<std::int64_t>> folds_of;
  std::int64_t dealt = 0;
  for (const std::int64_t label : order) {
    std::vector<std::int64_t>& own = folds_of[label];
    for (std::int64_t i = 0; i < often[label]; ++i) own.push_back(dealt++ % count);
    std::ranges::sort(own, std::greater<>());
  }
  std::vector<std::int64_t> result;
  for (const std::int64_t label : labels) {
    result.push_back(folds_of[label].back());
    folds_of[label].pop_back();
  }
  return result;
}

LinearProbe fit_probe(const at::Tensor& features, const std::vector<std::int64_t>& labels,
                      std::int64_t classes) {
  if (std::ranges::count(labels, labels.at(0)) == static_cast<std::ptrdiff_t>(labels.size()))
    throw std::logic_error("[probe] one class alone");
  const Examples all{features, index_tensor(labels)};
  LinearProbe probe;
  for (int i = 0; i < strengths; ++i)
    probe.inverses.push_back(std::pow(10.0, -4 + 8.0 * i / (strengths - 1)));
  probe.accuracy.assign(strengths, 0);
  const std::vector<std::int64_t> fold_of = stratified_folds(labels, folds);
  for (std::int64_t fold = 0; fold < folds; ++fold) add_fold(all, fold_of, fold, classes, probe);
  // Sums of the same accuracies may differ in their last bits.
  const double best = *std::ranges::max_element(probe.accuracy);
  const auto chosen =
      std::ranges::find_if(probe.accuracy, [&](double a) { return a > best - 1e-12; });
  probe.inverse = probe.inverses[static_cast<std::size_t>(chosen - probe.accuracy.begin())];
  probe.weights = all_vectors(fit(all, classes, probe.inverse, start_of(all, classes)), classes);
  return probe;
}

at::Tensor probe_scores(const LinearProbe& probe, const at::Tensor& features) {
  return log_shares(features, probe.weights);
}

}  // namespace mezo
