#include "core/task/encode.h"

#include <algorithm>

#include "core/error.h"
#include "core/task/data_faults.h"
#include "core/task/read_example.h"

namespace mezo {

namespace {

using Tokens = std::vector<std::int32_t>;

// Cuts all sequences alike so that the longest fits, keeping the first `keep` tokens. Returns how
// many tokens that took.
std::int64_t cut_left(std::vector<Tokens>& sequences, std::size_t keep, std::size_t max_length) {
  std::size_t longest = 0;
  for (const Tokens& s : sequences) longest = std::max(longest, s.size());
  if (longest <= max_length) return 0;
  const std::size_t excess = longest - max_length;
  for (Tokens& s : sequences) {
    const auto begin = s.begin() + static_cast<std::ptrdiff_t>(keep);
    s.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(excess, s.size() - keep)));
  }
  return static_cast<std::int64_t>(excess);
}

// Of each option: the prompt with it, and how many of the last tokens are scored.
struct Sequences {
  std::vector<Tokens> whole;
  std::vector<std::int32_t> scored;
};

Sequences sequences_of(const std::vector<OptionText>& options, const Tokenizer& tokenizer,
                       const std::string& prompt, const Tokens& start, const std::string& where) {
  const std::size_t prompt_length = start.size() + ids_of(prompt, tokenizer, where).size();
  Sequences out;
  for (const OptionText& option : options) {
    Tokens tokens = start;
    const Tokens text = ids_of(prompt + option.text, tokenizer, where);
    tokens.insert(tokens.end(), text.begin(), text.end());
    if (tokens.size() <= prompt_length)
      throw DataError(where + "the option '" + option.text +
                      "' adds no token to the prompt, so it cannot be scored");
    out.scored.push_back(static_cast<std::int32_t>(tokens.size() - prompt_length));
    out.whole.push_back(std::move(tokens));
  }
  return out;
}

// How many tokens all sequences begin with and none has scored: the context.
std::size_t shared_length(const Sequences& sequences, const std::vector<OptionText>& options,
                          std::int64_t max_length, const std::string& where) {
  const Tokens& first = sequences.whole[0];
  std::size_t common = first.size();
  for (std::size_t i = 0; i < sequences.whole.size(); ++i) {
    const Tokens& s = sequences.whole[i];
    const auto same = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.end(), s.begin(), s.end()).first - first.begin());
    const auto scored = static_cast<std::size_t>(sequences.scored[i]);
    if (s.size() <= scored)
      throw DataError(where + "the prompt leaves no token before the option '" + options[i].text +
                      "' (max_length " + std::to_string(max_length) + ")");
    common = std::min({common, same, s.size() - scored});
  }
  if (common == 0)
    throw DataError(where + "the options share no token to begin with; a prompt must not be empty");
  return common;
}

Question question_behind(const std::string& prompt, const std::vector<OptionText>& options,
                         const Tokenizer& tokenizer, std::int64_t max_length, const Tokens& start,
                         const std::string& where) {
  Sequences s = sequences_of(options, tokenizer, prompt, start, where);
  const std::int64_t cut = cut_left(s.whole, start.size(), static_cast<std::size_t>(max_length));
  const std::size_t context = shared_length(s, options, max_length, where);
  const auto end = static_cast<std::ptrdiff_t>(context);
  std::vector<Tokens> tails;
  for (const Tokens& whole : s.whole) tails.emplace_back(whole.begin() + end, whole.end());
  Question question =
      options_behind({s.whole[0].begin(), s.whole[0].begin() + end}, tails, s.scored);
  question.cut = cut;
  return question;
}

Tokens own_start(const Tokenizer& tokenizer) {
  const auto ids = tokenizer.sequence_start();
  return {ids.begin(), ids.end()};
}

}  // namespace

Tokens SequenceStart::tokens(const Tokenizer& tokenizer) const {
  if (kind == Kind::none) return {};
  if (kind == Kind::tokenizer) return own_start(tokenizer);
  if (id >= tokenizer.vocabulary_size())
    throw ConfigError("[task] bos: expected an id of the tokenizer, 0 to " +
                      std::to_string(tokenizer.vocabulary_size() - 1) + ", got " +
                      std::to_string(id));
  return {id};
}

Question encode(const Example& example, const Task& task, const Tokenizer& tokenizer,
                std::int64_t max_length, const std::string& path,
                const std::optional<Tokens>& given, const std::string& before) {
  const std::string where = place_of(example, path);
  const std::vector<OptionText> options = options_of(example, task, where);
  const Tokens start = given ? *given : own_start(tokenizer);
  const auto behind = [&](const PromptTemplate& prompt) {
    return question_behind(before + text_of(prompt, example.fields, task, where), options,
                           tokenizer, max_length, start, where);
  };
  std::vector<std::int64_t> right = right_of(example, task, options, where);
  Question question = behind(task.prompt);
  if (task.score != OptionScore::mean) question.score = Question::Score::sum;
  if (task.score == OptionScore::calibrated)
    subtract(question, behind(task.neutral_prompt.value()));
  question.right = std::move(right);
  question.row = example.row;
  if (!task.each_field.empty())
    for (const OptionText& option : options) question.names.push_back(option.name);
  return question;
}

Question encode_prompt(const Example& example, const Task& task, const Tokenizer& tokenizer,
                       const PromptRoom& room, const std::string& path,
                       const std::optional<Tokens>& given, const std::string& before) {
  const std::string where = place_of(example, path);
  const Tokens start = given ? *given : own_start(tokenizer);
  Tokens tokens = start;
  const Tokens text =
      ids_of(before + text_of(task.prompt, example.fields, task, where), tokenizer, where);
  tokens.insert(tokens.end(), text.begin(), text.end());
  if (tokens.empty())
    throw DataError(where +
                    "the prompt is empty, and nothing stands before it: there is no token "
                    "that a text could follow");
  Question question;
  std::vector<Tokens> sequences = {std::move(tokens)};
  const auto length = static_cast<std::int64_t>(sequences[0].size()),
             most = room.max_length - room.max_new_tokens;
  if (length > room.max_length || (room.reserve && length > most)) {
    if (most <= static_cast<std::int64_t>(start.size()))
      throw DataError(where + "a prompt of " + std::to_string(length) + " tokens and a text of " +
                      std::to_string(room.max_new_tokens) + " (max_new_tokens) are more than the " +
                      std::to_string(room.max_length) +
                      " that a sequence may have, and without its beginning nothing is left of "
                      "the prompt; lower generation.max_new_tokens or raise task.max_length");
    question.cut = cut_left(sequences, start.size(), static_cast<std::size_t>(most));
  }
  question.pieces.push_back({std::move(sequences[0]), -1});
  question.generate = room.max_new_tokens;
  question.answers = answers_of(example, task, where);
  question.row = example.row;
  return question;
}

Question encode_right_answer(const Example& example, const Task& task, const Tokenizer& tokenizer,
                             std::int64_t max_length, const std::string& path,
                             const std::optional<Tokens>& given, const std::string& before) {
  const std::string where = place_of(example, path);
  const std::vector<OptionText> only = {taught_answer(example, task, where)};
  Question question =
      question_behind(before + text_of(task.prompt, example.fields, task, where), only, tokenizer,
                      max_length, given ? *given : own_start(tokenizer), where);
  question.right = {0};
  question.names = {only[0].name};
  question.row = example.row;
  return question;
}

std::vector<Question> encode_all(const std::vector<Example>& examples,
                                 const std::function<Question(const Example&)>& encoder) {
  std::vector<Question> out;
  out.reserve(examples.size());
  DataFaults faults;
  for (const Example& e : examples) faults.collect([&] { out.push_back(encoder(e)); });
  faults.throw_if_any();
  return out;
}

}  // namespace mezo
