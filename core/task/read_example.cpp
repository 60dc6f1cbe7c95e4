#include "core/task/read_example.h"

#include <algorithm>
#include <charconv>

#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/error.h"

namespace mezo {

std::string place_of(const Example& example, const std::string& path) {
  return path + ":" + std::to_string(example.line) + ": ";
}

namespace {

std::vector<std::string> field_names(const Example& example, bool lists) {
  std::vector<std::string> names;
  for (const auto& [name, text] : example.fields) names.push_back(name);
  for (const auto& [name, list] : example.lists)
    if (lists) names.push_back(name);
  return names;
}

std::vector<OptionText> options_of_each(const Example& example, const Task& task,
                                        const std::string& where) {
  const std::string& name = task.each_field;
  const auto list = example.lists.find(name);
  if (list == example.lists.end())
    throw DataError(where + "no list of texts in the field '" + name +
                    "', which holds the options" + did_you_mean(name, field_names(example, true)));
  std::vector<OptionText> options;
  PromptTemplate::Fields fields = example.fields;
  for (const std::string& text : list->second) {
    if (std::ranges::find(options, text, &OptionText::name) != options.end()) continue;
    fields[name] = text;
    options.push_back({text, text_of(task.options.at(0).text, fields, task, where)});
  }
  if (options.empty())
    throw DataError(where + "the field '" + name + "', which holds the options, is empty");
  return options;
}

const std::string& label_of(const Example& example, const Task& task, const std::string& where) {
  const auto field = example.fields.find(task.label_field);
  if (field == example.fields.end())
    throw DataError(where + "no text or number in the field '" + task.label_field +
                    "', which holds the label" +
                    did_you_mean(task.label_field, field_names(example, false)));
  return field->second;
}

// The option of the text at a place in the example's list.
std::int64_t option_at(const std::string& place, const Example& example, const Task& task,
                       const std::vector<OptionText>& options, const std::string& where) {
  const std::vector<std::string>& list = example.lists.find(task.each_field)->second;
  std::size_t i = 0;
  const auto [end, problem] = std::from_chars(place.data(), place.data() + place.size(), i);
  if (problem != std::errc() || end != place.data() + place.size() || i >= list.size())
    throw DataError(where + task.label_field + " is " + shown(place) + ", but '" + task.each_field +
                    "' has " + std::to_string(list.size()) +
                    " texts, and a label is a place among them, from 0");
  return std::ranges::find(options, list[i], &OptionText::name) - options.begin();
}

std::vector<std::int64_t> options_among_answers(const Example& example, const Task& task,
                                                const std::vector<OptionText>& options,
                                                const std::string& where) {
  std::vector<std::int64_t> right;
  for (const std::string& answer : answers_of(example, task, where)) {
    const auto option = std::ranges::find(options, answer, &OptionText::name);
    const std::int64_t place = option - options.begin();
    if (option != options.end() && std::ranges::find(right, place) == right.end())
      right.push_back(place);
  }
  if (right.empty())
    throw DataError(where + "no text of the field '" + task.answers_field + "' is one of '" +
                    task.each_field + "', which holds the options");
  return right;
}

}  // namespace

std::string text_of(const PromptTemplate& source, const PromptTemplate::Fields& fields,
                    const Task& task, const std::string& where) {
  try {
    return source.render(fields);
  } catch (const DataError& e) {
    throw DataError(where + e.what() + " (" + task.path + ")");
  }
}

std::vector<OptionText> options_of(const Example& example, const Task& task,
                                   const std::string& where) {
  if (!task.each_field.empty()) return options_of_each(example, task, where);
  std::vector<OptionText> options;
  for (const Option& option : task.options)
    options.push_back({option.label, text_of(option.text, example.fields, task, where)});
  return options;
}

std::vector<std::int64_t> right_of(const Example& example, const Task& task,
                                   const std::vector<OptionText>& options,
                                   const std::string& where) {
  if (!task.answers_field.empty()) return options_among_answers(example, task, options, where);
  if (task.label_field.empty()) return {};
  const std::string& label = label_of(example, task, where);
  if (!task.each_field.empty()) return {option_at(label, example, task, options, where)};
  std::string known;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].name == label) return {static_cast<std::int64_t>(i)};
    known += (i ? ", " : "") + options[i].name;
  }
  throw DataError(where + task.label_field + " is " + shown(label) +
                  ", but the task has options for " + known);
}

std::vector<std::string> answers_of(const Example& example, const Task& task,
                                    const std::string& where) {
  const std::string& name = task.answers_field;
  if (name.empty()) return {};
  if (const auto text = example.fields.find(name); text != example.fields.end())
    return {text->second};
  if (const auto list = example.lists.find(name); list != example.lists.end()) {
    if (!list->second.empty()) return list->second;
    throw DataError(where + "the field '" + name + "', which holds the right answers, is empty");
  }
  throw DataError(where + "no text or list of texts in the field '" + name +
                  "', which holds the right answers" +
                  did_you_mean(name, field_names(example, true)));
}

OptionText taught_answer(const Example& example, const Task& task, const std::string& where) {
  if (!task.generates()) {
    const std::vector<OptionText> options = options_of(example, task, where);
    const std::vector<std::int64_t> right = right_of(example, task, options, where);
    if (right.empty()) throw DataError(where + "no option is right, so none can be taught");
    return options[static_cast<std::size_t>(right[0])];
  }
  const std::string answer = answers_of(example, task, where).at(0);
  if (!task.target) return {answer, " " + answer + (task.stop.empty() ? "" : task.stop[0])};
  PromptTemplate::Fields fields = example.fields;
  fields[task.answers_field] = answer;
  return {answer, text_of(*task.target, fields, task, where)};
}

std::vector<std::int32_t> ids_of(const std::string& text, const Tokenizer& tokenizer,
                                 const std::string& where) {
  try {
    return tokenizer.encode(text);
  } catch (const DataError& e) {
    throw DataError(where + e.what());
  }
}

}  // namespace mezo
