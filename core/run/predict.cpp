#include "core/run/predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/answer/evaluate.h"
#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/run/answering_model.h"
#include "core/run/chosen_rows.h"
#include "core/run/generation_rules.h"
#include "core/run/predicted_rows.h"
#include "core/run/question_encoder.h"

namespace mezo {

namespace {

constexpr std::size_t rows_at_once = 256;

// A template that gives this text.
PromptTemplate literal(const std::string& text) {
  std::string source;
  for (const char c : text) source += std::string(c == '{' || c == '}' ? 2 : 1, c);
  return PromptTemplate(source);
}

// An example without fields; messages count from 1.
Example numbered(std::int64_t row) {
  Example example;
  example.row = row;
  example.line = row + 1;
  return example;
}

class Predictor {
 public:
  Predictor(const PredictRequest& request, Console& console)
      : request_(request),
        console_(console),
        asked_(answering_model(request.weights, request.task_folders, console)),
        max_length_(asked_.task ? longest_sequence(asked_.settings.max_length, *asked_.task,
                                                   asked_.model, console)
                                : asked_.longest()) {
    if (!asked_.task) return;
    const std::vector<Example> rows = choose_demonstrations(asked_.settings, *asked_.task);
    shown_ = demonstrations_of(rows, *asked_.task, asked_.model.tokenizer, asked_.settings.train);
    count_.emplace(shown_);
  }

  void answer_prompts() {
    std::vector<Question> questions;
    Task task = unlabelled(task_for("{prompt}"));
    for (std::size_t i = 0; i < request_.prompts.size(); ++i) {
      task.prompt = literal(request_.prompts[i]);
      questions.push_back(encoder(task)(numbered(static_cast<std::int64_t>(i)), "--prompt"));
    }
    print(questions, task);
  }

  void answer_rows(PredictedRows& rows) {
    const Task task = task_for("{prompt}"), bare = unlabelled(task);
    const QuestionEncoder told = encoder(task), untold = encoder(bare);
    const std::string& right = task.right_field();
    const auto encode = [&](const Example& e) {
      const bool says = e.fields.contains(right) || e.lists.contains(right);
      return (says ? told : untold)(e, rows.name());
    };
    std::vector<Example> some;
    while (console_.lost() == 0 && !(some = rows.next(rows_at_once)).empty())
      print(encode_all(some, encode), task);
    if (Interrupt::stop()) throw RunError("[predict] interrupted");
  }

  void say_cost() const {
    if (!shown_.text.empty()) console_.say(count_->text());
    if (cost_.new_tokens > 0) console_.say("texts: " + text_of(cost_));
  }

 private:
  // The task, or one that continues `prompt`.
  Task task_for(const std::string& prompt) const {
    const bool options = asked_.task && !asked_.task->generates();
    if (asked_.task && !(options && request_.text)) return *asked_.task;
    if (!asked_.model.network.causal)
      throw ModelError(
          "[predict] this model is not causal: it fills masks and continues no text; give a task "
          "with options (task.file=…) and <mask> in its prompt");
    Task task{"text", "", asked_.task ? asked_.task->prompt : PromptTemplate(prompt), {}, "", "f1"};
    return task;
  }

  // For rows that do not say what is right.
  static Task unlabelled(Task task) {
    task.label_field.clear();
    task.answers_field.clear();
    return task;
  }

  // Of a task a prompt is cut as evaluation cuts it, so that both answer alike.
  QuestionEncoder encoder(const Task& task) const {
    const PromptRoom room{max_length_, new_tokens_of(asked_.generation, &task),
                          asked_.task.has_value()};
    return QuestionEncoder(task, asked_.model, room,
                           asked_.settings.bos.tokens(asked_.model.tokenizer), shown_.text);
  }

  void print(const std::vector<Question>& questions, const Task& task) {
    if (count_)
      for (const Question& q : questions) count_->see(q);
    const GenerationRules rules = rules_of(asked_.generation, &task, asked_.model);
    const Evaluation made = evaluate(asked_.model, questions, {}, rules,
                                     [](std::size_t, std::size_t) { return !Interrupt::stop(); });
    cost_ += made.texts;
    if (made.not_numbers > 0)
      throw RunError(fmt::format(
          "[predict] the answer to row {} is not a number: the weights are damaged, or the run "
          "diverged",
          made.first_not_number));
    for (const Prediction& p : made.predictions) {
      const bool plain = p.text && request_.prompts.size() == 1;
      console_.out((plain ? p.text->text : prediction_line(p, task.options)) + "\n");
    }
    if (made.predictions.size() < questions.size()) throw RunError("[predict] interrupted");
  }

  const PredictRequest& request_;
  Console& console_;
  AnsweringModel asked_;
  std::int64_t max_length_;
  Demonstrations shown_;  // before every prompt
  std::optional<DemonstrationCount> count_;
  GenerationCost cost_;
};

}  // namespace

void predict(const PredictRequest& request, Console& console) {
  const Interrupt interrupt;
  if (request.prompts.empty() == request.file.empty())
    throw ConfigError("[predict] give either --prompt TEXT or --file ROWS.jsonl (-: stdin)");
  std::optional<PredictedRows> rows;  // before the model, which may take long
  if (!request.file.empty()) rows.emplace(request.file);
  Predictor predictor(request, console);
  if (rows)
    predictor.answer_rows(*rows);
  else
    predictor.answer_prompts();
  predictor.say_cost();
}

}  // namespace mezo
