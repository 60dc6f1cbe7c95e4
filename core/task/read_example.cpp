#include "core/task/read_example.h"

#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/error.h"

namespace mezo {

std::string place_of(const Example& example, const std::string& path) {
  return path + ":" + std::to_string(example.line) + ": ";
}

std::vector<std::int64_t> right_of(const Example& example, const Task& task,
                                   const std::string& where) {
  if (task.label_field.empty()) return {};
  const auto field = example.fields.find(task.label_field);
  if (field == example.fields.end()) {
    std::vector<std::string> names;
    for (const auto& [name, text] : example.fields) names.push_back(name);
    throw DataError(where + "no text or number in the field '" + task.label_field +
                    "', which holds the label" + did_you_mean(task.label_field, names));
  }
  std::string known;
  for (std::size_t i = 0; i < task.options.size(); ++i) {
    if (task.options[i].label == field->second) return {static_cast<std::int64_t>(i)};
    known += (i ? ", " : "") + task.options[i].label;
  }
  throw DataError(where + task.label_field + " is " + shown(field->second) +
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
  std::vector<std::string> names;
  for (const auto& [known, text] : example.fields) names.push_back(known);
  for (const auto& [known, list] : example.lists) names.push_back(known);
  throw DataError(where + "no text or list of texts in the field '" + name +
                  "', which holds the right answers" + did_you_mean(name, names));
}

std::string prompt_of(const Example& example, const Task& task, const std::string& where) {
  try {
    return task.prompt.render(example.fields);
  } catch (const MissingFieldError& e) {
    throw DataError(where + e.what());
  }
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
