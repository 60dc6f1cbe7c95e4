#include "core/task/read_example.h"

#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/error.h"

namespace mezo {

std::string place_of(const Example& example, const std::string& path) {
  return path + ":" + std::to_string(example.line) + ": ";
}

std::int64_t label_of(const Example& example, const Task& task, const std::string& where) {
  const auto field = example.fields.find(task.label_field);
  if (field == example.fields.end()) {
    std::vector<std::string> names;
    for (const auto& [name, text] : example.fields) names.push_back(name);
    throw DataError(where + "no text or number in the field '" + task.label_field +
                    "', which holds the label" + did_you_mean(task.label_field, names));
  }
  std::string known;
  for (std::size_t i = 0; i < task.options.size(); ++i) {
    if (task.options[i].label == field->second) return static_cast<std::int64_t>(i);
    known += (i ? ", " : "") + task.options[i].label;
  }
  throw DataError(where + task.label_field + " is " + shown(field->second) +
                  ", but the task has options for " + known);
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
