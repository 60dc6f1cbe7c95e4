#include "core/run/question_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/error.h"

namespace mezo {

QuestionEncoder::QuestionEncoder(const Task& task, const TextModel& model, const PromptRoom& room,
                                 std::vector<std::int32_t> start, std::string before)
    : task_(task),
      tokenizer_(model.tokenizer),
      room_(room),
      start_(std::move(start)),
      before_(std::move(before)) {
  if (model.network.causal && task.prompt.cuts_tokens())
    throw ConfigError("[" + task.path +
                      "] prompt: first_tokens() cuts fields of a prompt with <mask>, which this "
                      "model does not fill; first_words() cuts any");
  if (model.network.causal) return;
  if (!before_.empty())
    throw ConfigError(
        "[task] demonstrations: this model fills the one <mask> of a prompt, which is tokenised "
        "piece by piece and cut field by field; solved examples before it are for models that "
        "continue text");
  if (task.generates())
    throw ModelError("[task] " + task.name +
                     " asks for text, and this model is not causal: it fills masks and continues "
                     "no text");
  masked_.emplace(task_, tokenizer_, room_.max_length, start_);
}

Question QuestionEncoder::operator()(const Example& example, const std::string& path) const {
  if (masked_) return (*masked_)(example, path);
  return task_.generates()
             ? encode_prompt(example, task_, tokenizer_, room_, path, start_, before_)
             : encode(example, task_, tokenizer_, room_.max_length, path, start_, before_);
}

Question QuestionEncoder::right_answer(const Example& example, const std::string& path) const {
  if (masked_)
    throw ModelError(
        "[objective] the right answer alone is asked of models that continue text, and this one "
        "fills masks: objective.over=options");
  return encode_right_answer(example, task_, tokenizer_, room_.max_length, path, start_, before_);
}

std::int64_t longest_sequence(std::int64_t wanted, const Task& task, const TextModel& model,
                              Console& console) {
  const std::int64_t positions = model.max_positions.value_or(INT64_MAX),
                     own = task.max_length.value_or(INT64_MAX);
  const std::int64_t length = std::min({wanted, positions, own});
  if (length < wanted)
    console.note(fmt::format(
        "sequences are cut to {} tokens, as {} (task.max_length is {})", length,
        own < positions ? "the task " + task.name + " says" : "the model has no more positions",
        wanted));
  return length;
}

}  // namespace mezo
