#include "core/task/task.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/config/diagnostics.h"
#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/config/reader.h"
#include "core/config/schema.h"
#include "core/task/metrics.h"

namespace mezo {

UnknownTask::~UnknownTask() = default;

namespace {

namespace fs = std::filesystem;

constexpr const char* automatic[] = {"auto", nullptr};

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

std::span<const mezo_parameter> task_table() {
  static const mezo_parameter table[] = {
      {"prompt", MEZO_TEXT, nullptr, nullptr, nullptr, nullptr,
       "what the model reads, with {fields} of the example"},
      {"label", MEZO_TEXT, "label", nullptr, nullptr, nullptr,
       "the field that holds the right option's value"},
      {"metric", MEZO_TEXT, "auto", nullptr, metric_names(), nullptr,
       "how answers are measured; auto: accuracy of options, f1 of texts"},
      {"answers", MEZO_TEXT, "", nullptr, nullptr, nullptr,
       "the field of the texts that are right, where text is generated"},
      {"max_new_tokens", MEZO_INTEGER, "auto", "[1, 1048576]", automatic, "tokens",
       "most that a generated text has"},
      {"stop", MEZO_TEXT_LIST, "[]", nullptr, nullptr, nullptr, "strings that end a text"},
      {"summary", MEZO_TEXT, "", nullptr, nullptr, nullptr, "one line for people"}};
  return table;
}

// "{text}" in " {text} indeed"; "" where there is no such thing.
std::string field_in(const std::string& option) {
  constexpr std::string_view of_a_field =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.|";
  for (std::size_t begin = 0; (begin = option.find('{', begin)) != option.npos; ++begin) {
    const std::size_t end = option.find_first_not_of(of_a_field, begin + 1);
    if (end != option.npos && option[end] == '}' && end > begin + 1)
      return option.substr(begin, end + 1 - begin);
  }
  return "";
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// `options` has keys of the user's choice, so no table describes it.
std::vector<Option> read_options(const Value& tree, Diagnostics& diagnostics) {
  const Value* options = tree.find("options");
  if (!options && tree.find("answers")) return {};
  if (!options || !options->is_map() || options->entries.size() < 2) {
    diagnostics.error(
        Code::missing_setting, options ? options->mark : tree.mark,
        "options: expected a map of at least two, from the label's value to the text that answers",
        "for example  options: {0: \" terrible\", 1: \" great\"}; or  answers: FIELD  where text "
        "is "
        "to be generated");
    return {};
  }
  std::vector<Option> list;
  for (const Entry& entry : options->entries) {
    for (const Option& other : list)
      if (entry.value.is_scalar() && other.text == entry.value.text)
        diagnostics.error(Code::not_a_choice, entry.value.mark,
                          "the options for " + shown(other.label) + " and " + shown(entry.key) +
                              " are the same text",
                          "an option is recognised by its text, so each needs its own");
    if (!entry.value.is_scalar() || entry.value.text.empty())
      diagnostics.error(Code::wrong_type, entry.value.mark,
                        "the option for " + shown(entry.key) + " must be text that is not empty");
    if (const std::string field = field_in(entry.value.text); !field.empty())
      diagnostics.error(Code::wrong_type, entry.value.mark,
                        "the option for " + shown(entry.key) + " has a field " + shown(field) +
                            ", and options take none: it would be scored as it stands");
    list.push_back({entry.key, entry.value.text});
  }
  return list;
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

std::optional<PromptTemplate> read_prompt(const Value& tree, const std::string& text,
                                          Diagnostics& diagnostics) {
  const Value* prompt = tree.find("prompt");
  if (!prompt || !prompt->is_scalar()) return std::nullopt;  // reported with the other settings
  try {
    return PromptTemplate(text);
  } catch (const TemplateError& e) {
    diagnostics.error(Code::wrong_type, inside(*prompt, e.column()),
                      std::string("prompt: ") + e.what());
    return std::nullopt;
  }
}

// What belongs to the other kind of task would be read and never used.
void check_kind(const Value& tree, bool texts, const Parameters& p, const PromptTemplate& prompt,
                Diagnostics& diagnostics) {
  const auto refuse = [&](const char* key, const std::string& why) {
    if (const Value* value = tree.find(key))
      diagnostics.error(Code::not_a_choice, value->mark, std::string(key) + ": " + why);
  };
  if (texts) {
    refuse("label", "the task has no options that a label could name");
    if (prompt.masks() > 0)
      refuse("prompt", "<mask> is filled by one of options, and this task generates text");
    if (std::ranges::find(p.list("stop"), "") != p.list("stop").end())
      refuse("stop", "an empty string would end every text at its first token");
  } else {
    for (const char* key : {"answers", "max_new_tokens", "stop"})
      refuse(key, "the task has options, and generates no text");
  }
  if (p.text("metric") != "auto" && metric_named(p.text("metric")).of_texts != texts)
    refuse("metric", p.text("metric") + " measures " +
                         (texts ? "options, and this task generates text"
                                : "generated texts, and this task has options"));
}

}  // namespace

std::optional<Task> load_task(const std::string& path, Diagnostics& diagnostics, const Mark& from) {
  const std::size_t before = diagnostics.errors().size();
  const auto source = read_source(path, path, from, diagnostics);
  const std::optional<Value> tree = source ? parse_file(source, diagnostics) : std::nullopt;
  if (!tree) return std::nullopt;
  std::vector<Option> options = read_options(*tree, diagnostics);
  Value rest = *tree;
  rest.erase("options");
  const Parameters p = check(&rest, "", task_table(), diagnostics, tree->mark);
  std::optional<PromptTemplate> prompt =
      read_prompt(*tree, p.has("prompt") ? p.text("prompt") : "", diagnostics);
  if (diagnostics.errors().size() == before)
    check_kind(*tree, options.empty(), p, *prompt, diagnostics);
  if (diagnostics.errors().size() > before) return std::nullopt;
  const bool texts = options.empty();
  return Task{
      fs::path(path).stem().string(),
      path,
      std::move(*prompt),
      std::move(options),
      texts ? "" : p.text("label"),
      p.text("metric") != "auto" ? p.text("metric")
      : texts                    ? "f1"
                                 : "accuracy",
      p.text("answers"),
      p.is_word("max_new_tokens") ? std::nullopt : std::optional(p.integer("max_new_tokens")),
      p.list("stop")};
}

std::vector<std::string> Task::remarks() const {
  const auto& pieces = prompt.pieces();
  const bool word = !pieces.empty() && (pieces.back().kind == PromptTemplate::Kind::field ||
                                        is_word(pieces.back().text.back()));
  std::vector<std::string> remarks;
  if (prompt.masks() > 0) return remarks;  // options stand there and not behind the prompt
  for (const Option& option : options)
    if (word && is_word(option.text.front()))
      remarks.push_back("the option " + shown(option.text) +
                        " follows the prompt without a space and makes one word with its end; an "
                        "option begins with the space: " +
                        shown(" " + option.text));
  return remarks;
}

Task load_task(const std::string& path) {
  Diagnostics diagnostics;
  std::optional<Task> task = load_task(path, diagnostics);
  diagnostics.throw_if_any();
  return std::move(*task);
}

std::string find_task(const std::string& name_or_path, const std::vector<std::string>& folders) {
  const bool path = name_or_path.find('/') != std::string::npos ||
                    name_or_path.ends_with(".yaml") || name_or_path.ends_with(".yml");
  if (path) return name_or_path;  // reading it says whether it is there
  std::vector<std::string> known;
  for (const std::string& folder : folders) {
    const fs::path candidate = fs::path(folder) / (name_or_path + ".yaml");
    std::error_code none;
    if (fs::exists(candidate, none)) return candidate.string();
    for (const auto& entry : fs::directory_iterator(folder, none))
      if (entry.path().extension() == ".yaml") known.push_back(entry.path().stem().string());
  }
  std::sort(known.begin(), known.end());
  std::string message = "no task called '" + name_or_path + "'";
  if (const auto guess = nearest(name_or_path, known))
    message += "; did you mean '" + *guess + "'?";
  if (known.empty()) {
    message += " (no task files in";
    for (const std::string& folder : folders) message += " " + folder;
    throw UnknownTask(message + "; give a path)");
  }
  message += " (known:";
  for (const std::string& name : known) message += " " + name;
  throw UnknownTask(message + "; or give a path)");
}

}  // namespace mezo
