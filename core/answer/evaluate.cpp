#include "core/answer/evaluate.h"

#include <ATen/core/LegacyTypeDispatch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/answer/scorer.h"
#include "core/forward/stored_source.h"

namespace mezo {

namespace {

constexpr std::int64_t rows_a_forward =
    2048;  // enough to keep a processor busy, little enough to stay in memory

double cross_entropy(const Prediction& p) {
  const double best = *std::max_element(p.scores.begin(), p.scores.end());
  double sum = 0;
  for (const float s : p.scores) sum += std::exp(double{s} - best);
  return std::log(sum) + best - double{p.scores[static_cast<std::size_t>(p.label)]};
}

void score_batch(const Network& network, ParameterSource& source,
                 std::span<const EncodedExample* const> batch, std::span<Prediction* const> out) {
  const Outputs outputs = score(network, source, batch, Normalise::vocabulary);
  const std::int64_t width = outputs.option_scores.size(2);
  const float* scores = outputs.option_scores.const_data_ptr<float>();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const float* own = scores + static_cast<std::int64_t>(i) * width;
    Prediction& p = *out[i];
    p.row = batch[i]->row;
    p.label = batch[i]->label;
    p.scores.assign(own, own + batch[i]->tails.size());
    p.prediction = std::max_element(p.scores.begin(), p.scores.end()) - p.scores.begin();
  }
}

}  // namespace

Evaluation evaluate(const LoadedModel& model, const std::vector<EncodedExample>& examples,
                    const EvaluationProgress& progress) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  StoredSource source(model.store, model.dtype);
  Evaluation result;
  result.predictions.resize(examples.size());
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return examples[a].rows() < examples[b].rows(); });

  std::size_t done = 0;
  while (done < order.size()) {
    std::vector<const EncodedExample*> batch;
    std::vector<Prediction*> out;
    std::int64_t rows = 0;
    for (; done < order.size() &&
           (batch.empty() || rows + examples[order[done]].rows() <= rows_a_forward);
         ++done) {
      batch.push_back(&examples[order[done]]);
      out.push_back(&result.predictions[order[done]]);
      rows += batch.back()->rows();
    }
    score_batch(model.network, source, batch, out);
    if (progress && !progress(done, order.size())) break;
  }
  if (done < order.size()) {
    std::erase_if(result.predictions, [](const Prediction& p) { return p.scores.empty(); });
  }
  for (const Prediction& p : result.predictions) {
    const bool numbers = std::all_of(p.scores.begin(), p.scores.end(), [](float x) {
      return !std::isnan(x) && x < std::numeric_limits<float>::infinity();
    });
    if (!numbers && result.not_numbers++ == 0) result.first_not_number = p.row;
    result.accuracy += p.prediction == p.label;
    result.loss += cross_entropy(p);
  }
  const double n = std::max<double>(1, static_cast<double>(result.predictions.size()));
  result.accuracy /= n;
  result.loss /= n;
  return result;
}

std::string prediction_line(const Prediction& p, const std::vector<Option>& options) {
  nlohmann::ordered_json scores = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < p.scores.size(); ++i) scores[options[i].label] = p.scores[i];
  const nlohmann::ordered_json line = {
      {"index", p.row},
      {"scores", scores},
      {"prediction", options[static_cast<std::size_t>(p.prediction)].label},
      {"label", options[static_cast<std::size_t>(p.label)].label}};
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace mezo
