#include "core/task/metrics.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/config/nearest.h"
#include "core/error.h"
#include "core/task/class_metrics.h"
#include "core/task/text_match.h"

namespace mezo {

namespace {

// [S, E]: the best agreement with a right text.
at::Tensor agreement(const Outputs& outputs, const Targets& targets,
                     double (*of)(const std::string&, const std::string&)) {
  const std::size_t examples = targets.answers.size();
  at::Tensor out = at::empty(
      {static_cast<std::int64_t>(outputs.texts.size()), static_cast<std::int64_t>(examples)},
      at::kDouble);
  double* each = out.mutable_data_ptr<double>();
  for (const std::vector<std::string>& texts : outputs.texts) {
    for (std::size_t e = 0; e < examples; ++e) {
      const std::vector<std::string>& answers = targets.answers[e];
      if (answers.empty())
        throw DataError(fmt::format("[metric] example {} has no right text to compare with", e));
      double best = 0;
      for (const std::string& answer : answers) best = std::max(best, of(texts.at(e), answer));
      *each++ = best;
    }
  }
  return out;
}

double cross_entropy(std::span<const float> scores, std::int64_t label, std::int64_t example) {
  if (label < 0)
    throw DataError(fmt::format(
        "[metric] example {} has no right option, so it has no cross-entropy", example));
  const double best = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float s : scores) sum += std::exp(double{s} - best);
  return std::log(sum) + best - double{scores[static_cast<std::size_t>(label)]};
}

at::Tensor accuracy_of_each(const Outputs& outputs, const Targets& targets) {
  const at::Tensor best = best_options(outputs).unsqueeze(-1);  // [S, E, 1]
  const at::Tensor right = targets.right.unsqueeze(0).expand(outputs.option_scores.sizes());
  return right.gather(-1, best.clamp_min(0))
      .to(at::kDouble)
      .masked_fill(best < 0, std::numeric_limits<double>::quiet_NaN())
      .squeeze(-1);
}

at::Tensor option_loss_of_each(const Outputs& outputs, const Targets& targets) {
  const at::Tensor scores = outputs.option_scores.to(at::kFloat).contiguous(),
                   labels = targets.labels.contiguous();
  const std::int64_t streams = scores.size(0), examples = scores.size(1), options = scores.size(2);
  at::Tensor out = at::empty({streams, examples}, at::kDouble);
  const float* own = scores.const_data_ptr<float>();
  double* each = out.mutable_data_ptr<double>();
  for (std::int64_t s = 0; s < streams; ++s)
    for (std::int64_t e = 0; e < examples; ++e, own += options)
      *each++ = cross_entropy({own, static_cast<std::size_t>(options)},
                              labels.const_data_ptr<std::int64_t>()[e], e);
  return out;
}

at::Tensor f1_of_each(const Outputs& outputs, const Targets& targets) {
  return agreement(outputs, targets, shared_words);
}

at::Tensor exact_match_of_each(const Outputs& outputs, const Targets& targets) {
  return agreement(outputs, targets, same_words);
}

constexpr Metric known_metrics[] = {
    {"accuracy", accuracy_of_each, nullptr, true, true, false},
    {"f1_positive", nullptr, f1_positive, true, true, false, 2},
    {"matthews", nullptr, matthews, false, true, false},
    {"cross_entropy", option_loss_of_each, nullptr, false, false, false},
    {"f1", f1_of_each, nullptr, true, true, true},
    {"exact_match", exact_match_of_each, nullptr, true, true, true}};

// One after another in double, as they were always added up.
Estimate mean_of(std::span<const double> each) {
  const auto n = static_cast<double>(each.size());
  double sum = 0, squares = 0;
  for (const double v : each) sum += v;
  const double mean = sum / n;
  for (const double v : each) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};  // 0 / 0 of one example
}

constexpr Metric tokens_of_answers = {
    "answer_cross_entropy", nullptr, nullptr, false, false, false};

// Row by row of [S, E].
std::vector<Estimate> means_of(const at::Tensor& each) {
  const at::Tensor rows = each.contiguous();
  const auto width = static_cast<std::size_t>(rows.size(1));
  std::vector<Estimate> means;
  for (std::int64_t s = 0; s < rows.size(0); ++s)
    means.push_back(
        mean_of({rows.const_data_ptr<double>() + static_cast<std::size_t>(s) * width, width}));
  return means;
}

// [S]
at::Tensor mean_values(const at::Tensor& each) {
  const std::vector<Estimate> means = means_of(each);
  at::Tensor out = at::empty({each.size(0)}, at::kDouble);
  for (std::size_t s = 0; s < means.size(); ++s) out.mutable_data_ptr<double>()[s] = means[s].value;
  return out;
}

std::vector<Estimate> class_estimates(const Metric& metric, const Outputs& outputs,
                                      const Targets& targets) {
  const at::Tensor best = best_options(outputs).contiguous(), right = targets.labels.contiguous();
  const auto n = static_cast<std::size_t>(best.size(1));
  const std::int64_t* answered = best.const_data_ptr<std::int64_t>();
  std::vector<Estimate> list;
  for (std::int64_t s = 0; s < best.size(0); ++s, answered += n)
    list.push_back(jackknife(
        metric.of_classes, count_classes({right.const_data_ptr<std::int64_t>(), n}, {answered, n},
                                         static_cast<std::size_t>(outputs.option_scores.size(2)))));
  return list;
}

}  // namespace

at::Tensor best_options(const Outputs& outputs) {
  const at::Tensor& scores = outputs.option_scores;
  const at::Tensor numbers = (scores < std::numeric_limits<double>::infinity()).all(-1);
  return scores.argmax(-1).masked_fill(numbers.logical_not(), -1);
}

at::Tensor accuracy(const Outputs& outputs, const Targets& targets) {
  return mean_values(accuracy_of_each(outputs, targets));
}

at::Tensor option_loss(const Outputs& outputs, const Targets& targets) {
  return mean_values(option_loss_of_each(outputs, targets));
}

at::Tensor f1(const Outputs& outputs, const Targets& targets) {
  return mean_values(f1_of_each(outputs, targets));
}

at::Tensor exact_match(const Outputs& outputs, const Targets& targets) {
  return mean_values(exact_match_of_each(outputs, targets));
}

std::vector<Estimate> estimates(const Metric& metric, const Outputs& outputs,
                                const Targets& targets) {
  return metric.of_each ? means_of(metric.of_each(outputs, targets))
                        : class_estimates(metric, outputs, targets);
}

const Metric& answer_cross_entropy() { return tokens_of_answers; }

Estimate mean_of_tokens(std::span<const double> sums, std::span<const std::int64_t> counts) {
  const auto n = static_cast<double>(sums.size());
  double all = 0, tokens = 0;
  for (std::size_t e = 0; e < sums.size(); ++e) {
    all += sums[e];
    tokens += static_cast<double>(counts[e]);
  }
  std::vector<double> without;
  double mean = 0, squares = 0;
  for (std::size_t e = 0; e < sums.size(); ++e) {
    without.push_back((all - sums[e]) / (tokens - static_cast<double>(counts[e])));
    mean += without.back() / n;
  }
  for (const double w : without) squares += (w - mean) * (w - mean);
  return {all / tokens, std::sqrt((n - 1) / n * squares)};  // 0 / 0 of one example
}

std::span<const Metric> all_metrics() { return known_metrics; }

const Metric& metric_named(std::string_view name) {
  std::vector<std::string> names;
  for (const Metric& metric : known_metrics) {
    if (metric.name == name) return metric;
    names.push_back(metric.name);
  }
  throw ConfigError(fmt::format("no metric called '{}'{}", name, did_you_mean(name, names)));
}

std::vector<const Metric*> metrics_for(const std::string& name) {
  const Metric& metric = metric_named(name);
  std::vector<std::string> names = {name};
  if (metric.of_texts) {
    names.push_back(name == "f1" ? "exact_match" : "f1");
  } else {
    if (metric.of_classes) names.push_back("accuracy");
    if (name != "cross_entropy") names.push_back("cross_entropy");
  }
  std::vector<const Metric*> list;
  for (const std::string& n : names) list.push_back(&metric_named(n));
  return list;
}

std::string shown(const Metric& metric, const Estimate& estimate) {
  const bool error = std::isfinite(estimate.standard_error);
  if (metric.percent)
    return fmt::format("{:.1f}%", 100 * estimate.value) +
           (error ? fmt::format(" ± {:.1f}", 100 * estimate.standard_error) : "");
  return fmt::format("{:.4f}", estimate.value) +
         (error ? fmt::format(" ± {:.4f}", estimate.standard_error) : "");
}

}  // namespace mezo
