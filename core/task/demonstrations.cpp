#include "core/task/demonstrations.h"

#include <algorithm>

#include "core/error.h"
#include "core/task/data_faults.h"
#include "core/task/read_example.h"

namespace mezo {

namespace {

constexpr const char* blank_line = "\n\n";

std::string answer_of(const Example& example, const Task& task, const std::string& where) {
  if (task.generates()) {
    const std::vector<std::string> answers = answers_of(example, task, where);
    if (answers.empty()) throw DataError(where + "nothing says what is right (" + task.path + ")");
    return " " + answers.front();
  }
  const std::vector<OptionText> options = options_of(example, task, where);
  const std::vector<std::int64_t> right = right_of(example, task, options, where);
  if (right.empty()) throw DataError(where + "nothing says what is right (" + task.path + ")");
  return options[static_cast<std::size_t>(right.front())].text;
}

std::string stripped(const std::string& text) {
  constexpr const char* space = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(space);
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

}  // namespace

std::int64_t Demonstrations::whole(std::int64_t cut) const {
  return std::ranges::count_if(begins, [&](std::int64_t begin) { return begin >= cut; });
}

DemonstrationCount::DemonstrationCount(const Demonstrations& of)
    : of_(of), least_(static_cast<std::int64_t>(of.begins.size())) {}

void DemonstrationCount::see(const Question& question) {
  const std::int64_t whole = of_.whole(question.cut);
  least_ = std::min(least_, whole);
  most_ = std::max(most_, whole);
}

std::string DemonstrationCount::text() const {
  const std::size_t all = of_.begins.size();
  const std::string said =
      "demonstrations: " + std::to_string(all) + " rows of train before every prompt";
  if (least_ == static_cast<std::int64_t>(all)) return said + ", all whole";
  return said + "; " + std::to_string(least_) + " to " + std::to_string(most_) +
         " of them are whole, and what is before those is cut";
}

Demonstrations demonstrations_of(const std::vector<Example>& examples, const Task& task,
                                 const Tokenizer& tokenizer, const std::string& path) {
  Demonstrations out;
  std::vector<std::size_t> places;
  DataFaults faults;
  for (const Example& example : examples)
    faults.collect([&] {
      const std::string where = place_of(example, path);
      places.push_back(out.text.size());
      out.text += stripped(text_of(task.prompt, example.fields, task, where) +
                           answer_of(example, task, where)) +
                  blank_line;
    });
  faults.throw_if_any();
  const auto tokens_from = [&](std::size_t place) {
    return static_cast<std::int64_t>(ids_of(out.text.substr(place), tokenizer, path + ": ").size());
  };
  const std::int64_t all = tokens_from(0);
  for (const std::size_t place : places) out.begins.push_back(all - tokens_from(place));
  return out;
}

}  // namespace mezo
