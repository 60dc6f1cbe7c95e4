#include "core/task/metrics.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/config/nearest.h"
#include "core/error.h"
#include "core/task/text_match.h"

namespace mezo {

namespace {

constexpr Metric known_metrics[] = {{"accuracy", accuracy, true, true, false},
                                    {"loss", option_loss, false, false, false},
                                    {"f1", f1, true, true, true},
                                    {"exact_match", exact_match, true, true, true}};

// The mean over examples of the best agreement with a right text.
at::Tensor agreement(const Outputs& outputs, const Targets& targets,
                     double (*of)(const std::string&, const std::string&)) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(outputs.texts.size())}, at::kDouble);
  double* mean = out.mutable_data_ptr<double>();
  for (const std::vector<std::string>& texts : outputs.texts) {
    double sum = 0;
    for (std::size_t e = 0; e < texts.size(); ++e) {
      const std::vector<std::string>& answers = targets.answers.at(e);
      if (answers.empty())
        throw DataError(fmt::format("[metric] example {} has no right text to compare with", e));
      double best = 0;
      for (const std::string& answer : answers) best = std::max(best, of(texts[e], answer));
      sum += best;
    }
    *mean++ = sum / static_cast<double>(texts.size());
  }
  return out;
}

double cross_entropy(std::span<const float> scores, std::int64_t label, std::int64_t example) {
  if (label < 0)
    throw DataError(
        fmt::format("[loss] example {} has no right option, so it has no cross-entropy", example));
  const double best = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float s : scores) sum += std::exp(double{s} - best);
  return std::log(sum) + best - double{scores[static_cast<std::size_t>(label)]};
}

}  // namespace

at::Tensor best_options(const Outputs& outputs) {
  const at::Tensor& scores = outputs.option_scores;
  const at::Tensor numbers = (scores < std::numeric_limits<double>::infinity()).all(-1);
  return scores.argmax(-1).masked_fill(numbers.logical_not(), -1);
}

at::Tensor accuracy(const Outputs& outputs, const Targets& targets) {
  const at::Tensor best = best_options(outputs).unsqueeze(-1);  // [S, E, 1]
  const at::Tensor right = targets.right.unsqueeze(0).expand(outputs.option_scores.sizes());
  return right.gather(-1, best.clamp_min(0))
      .to(at::kDouble)
      .masked_fill(best < 0, std::numeric_limits<double>::quiet_NaN())
      .squeeze(-1)
      .mean({1});
}

at::Tensor option_loss(const Outputs& outputs, const Targets& targets) {
  const at::Tensor scores = outputs.option_scores.to(at::kFloat).contiguous(),
                   labels = targets.labels.contiguous();
  const std::int64_t streams = scores.size(0), examples = scores.size(1), options = scores.size(2);
  at::Tensor out = at::empty({streams}, at::kDouble);
  const float* own = scores.const_data_ptr<float>();
  for (std::int64_t s = 0; s < streams; ++s) {
    double sum = 0;
    for (std::int64_t e = 0; e < examples; ++e, own += options)
      sum += cross_entropy({own, static_cast<std::size_t>(options)},
                           labels.const_data_ptr<std::int64_t>()[e], e);
    out.mutable_data_ptr<double>()[s] = sum / static_cast<double>(examples);
  }
  return out;
}

at::Tensor f1(const Outputs& outputs, const Targets& targets) {
  return agreement(outputs, targets, shared_words);
}

at::Tensor exact_match(const Outputs& outputs, const Targets& targets) {
  return agreement(outputs, targets, same_words);
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
  std::vector<const Metric*> list = {&metric_named(name)};
  const Metric& other = !list[0]->of_texts ? metric_named("loss")
                        : name == "f1"     ? metric_named("exact_match")
                                           : metric_named("f1");
  if (list[0] != &other) list.push_back(&other);
  return list;
}

std::string shown(const Metric& metric, double value) {
  return metric.percent ? fmt::format("{:.1f}%", 100 * value) : fmt::format("{:.4f}", value);
}

}  // namespace mezo
