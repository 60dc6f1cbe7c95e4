#include "core/answer/evaluate.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "core/answer/answer.h"
#include "core/answer/question_batches.h"
#include "core/zo/stored_source.h"

namespace mezo {

namespace {

using Asked = std::vector<const Question*>;

struct AskedBatch {
  Asked questions;
  std::vector<Prediction*> out;
  Pending forward;
};

void take_answers(const AskedBatch& batch) {
  const Outputs outputs = collect({&batch.forward, 1});
  const std::int64_t width = outputs.option_scores.size(2);
  const float* scores = outputs.option_scores.const_data_ptr<float>();
  for (std::size_t i = 0; i < batch.questions.size(); ++i, scores += width) {
    const Question& question = *batch.questions[i];
    Prediction& p = *batch.out[i];
    p.row = question.row;
    p.label = question.right.empty() ? -1 : question.right[0];
    p.scores.assign(scores, scores + question.options());
    p.names = question.names;
  }
}

// Returns how many of `order` were answered. A GPU is given the next batch before the last one's
// answers are waited for.
std::size_t answer_all(const LoadedModel& model, const std::vector<Question>& questions,
                       const std::vector<std::size_t>& order, std::vector<Prediction>& predictions,
                       const EvaluationProgress& progress) {
  StoredSource source(model.store, model.dtype);
  const std::int64_t rows = rows_a_forward(model.store, model.dtype);
  const std::size_t ahead = model.store.device().is_cpu() ? 0 : 1;
  std::deque<AskedBatch> running;
  std::size_t begun = 0, done = 0;
  while (begun < order.size() || !running.empty()) {
    if (begun < order.size()) {
      AskedBatch batch;
      for (std::size_t left = batch_size(questions, order, begun, rows); left > 0; --left) {
        batch.questions.push_back(&questions[order[begun]]);
        batch.out.push_back(&predictions[order[begun++]]);
      }
      batch.forward =
          begin_answering(model.network, source, batch.questions, Needs{.normalised = true});
      running.push_back(std::move(batch));
      if (running.size() <= ahead && begun < order.size()) continue;
    }
    take_answers(running.front());
    done += running.front().questions.size();
    running.pop_front();
    if (progress && !progress(done, order.size())) break;
  }
  return done;
}

// The same of questions that ask for texts, which the generator puts in an order of its own: all of
// them are done, or none.
std::size_t write_all(const LoadedModel& model, const std::vector<Question>& questions,
                      const GenerationRules& rules, Evaluation& result,
                      const EvaluationProgress& progress) {
  StoredSource source(model.store, model.dtype);
  Generator generator(model.network, model.specs, model.tokenizer, rules, model.max_positions);
  Asked asked;
  for (const Question& q : questions) asked.push_back(&q);
  auto texts = generator(source, prompts_of(asked), 0, [&](std::size_t done, std::int64_t) {
    return !progress || progress(done, questions.size());
  });
  result.texts = generator.cost();
  if (texts.empty()) return 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    Prediction& p = result.predictions[i];
    p.row = questions[i].row;
    p.label = -1;
    p.text = std::move(texts[0][i]);
    p.answers = questions[i].answers;
  }
  return questions.size();
}

// What the metrics read, of all that was answered: [1, E, O].
Outputs outputs_of(const std::vector<Prediction>& predictions) {
  Outputs outputs;
  if (!predictions.empty() && predictions[0].text) {
    outputs.texts.resize(1);
    for (const Prediction& p : predictions) outputs.texts[0].push_back(p.text->text);
    return outputs;
  }
  std::size_t most = 0;
  outputs.option_offsets = {0};
  for (const Prediction& p : predictions) {
    most = std::max(most, p.scores.size());
    outputs.option_offsets.push_back(outputs.option_offsets.back() +
                                     static_cast<std::int64_t>(p.scores.size()));
  }
  outputs.option_scores =
      at::full({1, static_cast<std::int64_t>(predictions.size()), static_cast<std::int64_t>(most)},
               -std::numeric_limits<float>::infinity(), at::TensorOptions(at::kFloat));
  float* out = outputs.option_scores.mutable_data_ptr<float>();
  for (const Prediction& p : predictions) {
    std::copy(p.scores.begin(), p.scores.end(), out);
    out += most;
  }
  return outputs;
}

}  // namespace

void measure_answers(Evaluation& result, const Asked& answered,
                     const std::vector<const Metric*>& metrics) {
  if (answered.empty()) {
    for (const Metric* metric : metrics)
      result.measurements.push_back({metric, {0, std::numeric_limits<double>::quiet_NaN()}});
    return;
  }
  const Outputs outputs = outputs_of(result.predictions);
  const bool texts = !outputs.texts.empty();
  const at::Tensor best = texts ? at::Tensor() : best_options(outputs).contiguous();
  const Targets targets = targets_of(answered);
  for (std::size_t i = 0; i < answered.size(); ++i) {
    Prediction& p = result.predictions[i];
    p.prediction = !texts                                   ? best.const_data_ptr<std::int64_t>()[i]
                   : p.text->finish == Finish::not_a_number ? -1
                                                            : 0;
    if (p.prediction < 0 && result.not_numbers++ == 0) result.first_not_number = p.row;
  }
  for (const Metric* metric : metrics)
    result.measurements.push_back({metric, estimates(*metric, outputs, targets)[0]});
}

double Evaluation::value(const std::string& metric) const {
  for (const Measurement& m : measurements)
    if (m.metric->name == metric) return m.estimate.value;
  throw std::logic_error("[Evaluation] " + metric + " was not measured");
}

Evaluation evaluate(const LoadedModel& model, const std::vector<Question>& questions,
                    const std::vector<const Metric*>& metrics,
                    const std::optional<GenerationRules>& rules,
                    const EvaluationProgress& progress) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  const bool texts = !questions.empty() && questions[0].generate > 0;
  if (texts && !rules) throw std::logic_error("[evaluate] texts without rules for them");
  std::vector<std::size_t> order;
  if (texts) {
    order.resize(questions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  } else {
    order = by_length(questions);
  }
  Evaluation result;
  result.predictions.resize(questions.size());
  const std::size_t done = texts
                               ? write_all(model, questions, *rules, result, progress)
                               : answer_all(model, questions, order, result.predictions, progress);
  order.resize(done);
  std::sort(order.begin(), order.end());
  Asked answered;
  for (std::size_t i = 0; i < done; ++i) {
    answered.push_back(&questions[order[i]]);
    if (order[i] != i) result.predictions[i] = std::move(result.predictions[order[i]]);
  }
  result.predictions.resize(done);
  measure_answers(result, answered, metrics);
  return result;
}

std::optional<Measurement> measure_right_answers(const LoadedModel& model,
                                                 const std::vector<Question>& questions,
                                                 const EvaluationProgress& progress) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  std::vector<Prediction> answers(questions.size());
  if (answer_all(model, questions, by_length(questions), answers, progress) < questions.size())
    return std::nullopt;
  std::vector<double> sums;
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    counts.push_back(static_cast<std::int64_t>(questions[i].scored.size()));
    sums.push_back(-double{answers[i].scores.at(0)} * static_cast<double>(counts.back()));
  }
  return Measurement{&answer_cross_entropy(), mean_of_tokens(sums, counts)};
}

std::string prediction_line(const Prediction& p, const std::vector<Option>& options) {
  using Json = nlohmann::ordered_json;
  constexpr auto replace = Json::error_handler_t::replace;
  if (p.text) {
    Json line = {{"index", p.row}, {"text", p.text->text}, {"finish", name_of(p.text->finish)}};
    if (!p.answers.empty()) line["answers"] = p.answers;
    return line.dump(-1, ' ', false, replace);
  }
  const auto name_at = [&](std::size_t option) -> const std::string& {
    return p.names.empty() ? options[option].label : p.names[option];
  };
  Json scores = Json::object();
  for (std::size_t i = 0; i < p.scores.size(); ++i) scores[name_at(i)] = p.scores[i];
  const auto label_of = [&](std::int64_t option) -> Json {
    if (option < 0) return nullptr;
    return name_at(static_cast<std::size_t>(option));
  };
  const Json line = {{"index", p.row},
                     {"scores", scores},
                     {"prediction", label_of(p.prediction)},
                     {"label", label_of(p.label)}};
  return line.dump(-1, ' ', false, replace);
}

}  // namespace mezo
