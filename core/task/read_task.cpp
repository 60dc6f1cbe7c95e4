#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/config/diagnostics.h"
#include "core/config/display.h"
#include "core/config/reader.h"
#include "core/config/schema.h"
#include "core/task/metrics.h"
#include "core/task/task.h"

namespace mezo {

namespace {

constexpr const char* automatic[] = {"auto", nullptr};
constexpr const char* score_names[] = {"mean", "sum", "calibrated", nullptr};

// The names that `metric` may take, in the form of a table's choices.
const char* const* metric_names() {
  static const std::vector<const char*> names = [] {
    std::vector<const char*> list = {"auto"};
    for (const Metric& metric : all_metrics()) list.push_back(metric.name);
    list.push_back(nullptr);
    return list;
  }();
  return names.data();
}

// The place of a template's `column`, where the prompt stands in its file as it is meant (no
// escapes, not folded).
Mark inside(const Value& prompt, std::size_t column) {
  Mark mark = prompt.mark;
  if (!mark.source || mark.line < 1) return mark;
  const std::string& line = mark.source->lines[static_cast<std::size_t>(mark.line) - 1];
  const std::size_t begin = line.find(prompt.text);
  if (begin != std::string::npos)
    mark.column = column_at(line, begin) + static_cast<int>(column) - 1;
  return mark;
}

// The template in a value; reports what is wrong with it as `what`: ….
std::optional<PromptTemplate> read_template(const Value& value, const std::string& what,
                                            Diagnostics& diagnostics) {
  try {
    return PromptTemplate(value.text);
  } catch (const TemplateError& e) {
    diagnostics.error(Code::wrong_type, inside(value, e.column()), what + ": " + e.what());
    return std::nullopt;
  }
}

// Of a key that may be missing; what is no text was reported with the other settings.
std::optional<PromptTemplate> read_template_of(const Value& tree, const char* key,
                                               Diagnostics& diagnostics) {
  const Value* value = tree.find(key);
  if (!value || !value->is_scalar()) return std::nullopt;
  return read_template(*value, key, diagnostics);
}

void add_option(const Entry& entry, std::vector<Option>& list, Diagnostics& diagnostics) {
  const std::string what = "the option for " + shown(entry.key);
  if (!entry.value.is_scalar() || entry.value.text.empty()) {
    diagnostics.error(Code::wrong_type, entry.value.mark, what + " must be text that is not empty");
    return;
  }
  if (read_template(entry.value, what, diagnostics)) list.push_back({entry.key, entry.value.text});
}

// The one template of a list's options.
std::vector<Option> read_options_of_each(const Value& tree, const Value* options,
                                         Diagnostics& diagnostics) {
  if (!options || !options->is_scalar() || options->text.empty()) {
    diagnostics.error(Code::missing_setting, options ? options->mark : tree.mark,
                      "options: expected one text, as each names a list",
                      "for example  options: \" {FIELD}\", where FIELD is what each names");
    return {};
  }
  if (!read_template(*options, "options", diagnostics)) return {};
  return {{"", options->text}};
}

// `options` has keys of the user's choice, so no table describes it.
std::vector<Option> read_options(const Value& tree, Diagnostics& diagnostics) {
  const Value* options = tree.find("options");
  if (tree.find("each")) return read_options_of_each(tree, options, diagnostics);
  if (!options && tree.find("answers")) return {};
  if (!options || !options->is_map() || options->entries.size() < 2) {
    diagnostics.error(
        Code::missing_setting, options ? options->mark : tree.mark,
        "options: expected a map of at least two, from the label's value to the text that answers",
        "for example  options: {0: \" terrible\", 1: \" great\"}; or  each: FIELD  where a list of "
        "each example has them; or  answers: FIELD  where text is to be generated");
    return {};
  }
  std::vector<Option> list;
  for (const Entry& entry : options->entries) {
    for (const Entry& other : options->entries) {
      if (&other == &entry) break;
      if (entry.value.is_scalar() && other.value.text == entry.value.text)
        diagnostics.error(Code::not_a_choice, entry.value.mark,
                          "the options for " + shown(other.key) + " and " + shown(entry.key) +
                              " are the same text",
                          "an option is recognised by its text, so each needs its own");
    }
    add_option(entry, list, diagnostics);
  }
  return list;
}

// Refuses keys that would be read and never used.
class Refusal {
 public:
  Refusal(const Value& tree, const Task& task, Diagnostics& diagnostics)
      : tree_(tree), task_(task), diagnostics_(diagnostics) {}

  void check() {
    if (task_.generates())
      check_texts();
    else
      check_options();
    if (const std::string problem = task_.score_problem(); !problem.empty())
      refuse("score", problem);
    check_token_cuts();
    const Metric& metric = metric_named(task_.metric);
    if (metric.of_classes && !task_.each_field.empty())
      refuse("metric", task_.metric + " measures classes, and each example has options of its own");
    if (metric.classes > 0 && metric.classes != task_.options.size() && !task_.generates())
      refuse("metric", fmt::format("{} is of {} options, of which the second is the positive "
                                   "class, and there are {}",
                                   task_.metric, metric.classes, task_.options.size()));
    if (metric.of_texts != task_.generates())
      refuse("metric", task_.metric + " measures " +
                           (task_.generates() ? "options, and this task generates text"
                                              : "generated texts, and this task has options"));
  }

 private:
  void refuse(const char* key, const std::string& why) {
    if (const Value* value = tree_.find(key))
      diagnostics_.error(Code::not_a_choice, value->mark, std::string(key) + ": " + why);
  }

  void check_texts() {
    refuse("label", "the task has no options that a label could name");
    refuse("neutral_prompt", "the task has no options to score");
    if (task_.prompt.masks() > 0)
      refuse("prompt", "<mask> is filled by one of options, and this task generates text");
    if (std::ranges::find(task_.stop, "") != task_.stop.end())
      refuse("stop", "an empty string would end every text at its first token");
  }

  void check_options() {
    for (const char* key : {"max_new_tokens", "stop", "target"})
      refuse(key, "the task has options, and generates no text");
    if (task_.each_field.empty())
      refuse("answers", "the task has options, and generates no text");
    else if (!task_.answers_field.empty())
      refuse("label", "answers says what is right");
    if (task_.each_field.empty() && tree_.find("each")) refuse("each", "expected a field's name");
    if (task_.prompt.masks() > 0)
      refuse("each", "a <mask> is filled by options that are the same for every example");
  }

  void check_token_cuts() {
    const char* why = "first_tokens() cuts fields of a prompt with <mask>; first_words() cuts any";
    if (task_.prompt.masks() == 0 && task_.prompt.cuts_tokens()) refuse("prompt", why);
    if (task_.neutral_prompt && task_.neutral_prompt->cuts_tokens()) refuse("neutral_prompt", why);
    if (task_.target && task_.target->cuts_tokens()) refuse("target", why);
    for (const Option& option : task_.options)
      if (option.text.cuts_tokens()) refuse("options", why);
  }

  const Value& tree_;
  const Task& task_;
  Diagnostics& diagnostics_;
};

std::optional<std::int64_t> number_or_auto(const Parameters& p, const char* name) {
  return p.is_word(name) ? std::nullopt : std::optional(p.integer(name));
}

}  // namespace

std::span<const mezo_parameter> task_file_settings() {
  static const mezo_parameter table[] = {
      {"prompt", MEZO_TEXT, nullptr, nullptr, nullptr, nullptr,
       "what the model reads, with {fields} of the example"},
      {"label", MEZO_TEXT, "label", nullptr, nullptr, nullptr,
       "the field that holds the right option's value"},
      {"metric", MEZO_TEXT, "auto", nullptr, metric_names(), nullptr,
       "how answers are measured; auto: accuracy of options, f1 of texts"},
      {"each", MEZO_TEXT, "", nullptr, nullptr, nullptr,
       "the field of a list whose texts are the options, by the one template of options"},
      {"answers", MEZO_TEXT, "", nullptr, nullptr, nullptr,
       "the field of the texts that are right, where text is generated or options are a list's"},
      {"score", MEZO_TEXT, "mean", nullptr, score_names, nullptr,
       "what an option's log-probabilities make; calibrated: the sum less that behind "
       "neutral_prompt"},
      {"neutral_prompt", MEZO_TEXT, "", nullptr, nullptr, nullptr,
       "what stands instead of the prompt where a calibrated score asks what options are worth"},
      {"max_length", MEZO_INTEGER, "auto", "[2, 1048576]", automatic, "tokens",
       "longer sequences are cut; auto: as the run says"},
      {"max_new_tokens", MEZO_INTEGER, "auto", "[1, 1048576]", automatic, "tokens",
       "most that a generated text has"},
      {"stop", MEZO_TEXT_LIST, "[]", nullptr, nullptr, nullptr, "strings that end a text"},
      {"target", MEZO_TEXT, "auto", nullptr, nullptr, nullptr,
       "the text that training on right answers teaches; auto: a space, the first of answers, the "
       "first of stop"},
      {"summary", MEZO_TEXT, "", nullptr, nullptr, nullptr, "one line for people"}};
  return table;
}

std::optional<Task> load_task(const std::string& path, Diagnostics& diagnostics, const Mark& from) {
  const std::size_t before = diagnostics.errors().size();
  const auto source = read_source(path, path, from, diagnostics);
  const std::optional<Value> tree = source ? parse_file(source, diagnostics) : std::nullopt;
  if (!tree) return std::nullopt;
  std::vector<Option> options = read_options(*tree, diagnostics);
  Value rest = *tree;
  rest.erase("options");
  const Parameters p = check(&rest, "", task_file_settings(), diagnostics, tree->mark);
  std::optional<PromptTemplate> prompt = read_template_of(*tree, "prompt", diagnostics),
                                neutral = read_template_of(*tree, "neutral_prompt", diagnostics),
                                target = read_template_of(*tree, "target", diagnostics);
  if (diagnostics.errors().size() > before) return std::nullopt;
  const bool texts = options.empty();
  const std::string metric = p.text("metric"), each = p.text("each"), answers = p.text("answers");
  Task task{std::filesystem::path(path).stem().string(),
            path,
            std::move(*prompt),
            std::move(options),
            texts || (!each.empty() && !answers.empty()) ? "" : p.text("label"),
            metric != "auto" ? metric
            : texts          ? "f1"
                             : "accuracy",
            answers,
            number_or_auto(p, "max_new_tokens"),
            p.list("stop"),
            each,
            option_score_named(p.text("score")),
            std::move(neutral),
            number_or_auto(p, "max_length"),
            p.text("target") == "auto" ? std::nullopt : std::move(target)};
  Refusal(*tree, task, diagnostics).check();
  if (diagnostics.errors().size() > before) return std::nullopt;
  return task;
}

Task load_task(const std::string& path) {
  Diagnostics diagnostics;
  std::optional<Task> task = load_task(path, diagnostics);
  diagnostics.throw_if_any();
  return std::move(*task);
}

}  // namespace mezo
