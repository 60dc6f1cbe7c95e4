#include "core/run/show_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/config/display.h"

namespace mezo {

namespace {

using Ids = std::vector<std::int32_t>;

constexpr std::size_t longest_shown = 100'000;  // of a text: a prompt is shown whole

std::string shown_ids(const Tokenizer& tokenizer, const Ids& ids) {
  return shown(tokenizer.decode(ids), longest_shown);
}

// All that the model reads of an example: equal for two that differ in nothing but the answer.
std::vector<Ids> reading(const Question& q) {
  std::vector<Ids> own;
  for (const Question::Piece& piece : q.pieces) own.push_back(piece.tokens);
  return own;
}

std::set<std::vector<Ids>> readings(const Split& split) {
  std::set<std::vector<Ids>> all;
  for (const Question& q : split.examples) all.insert(reading(q));
  return all;
}

std::size_t shared_rows(const Split& split, const std::set<std::vector<Ids>>& with) {
  return static_cast<std::size_t>(std::ranges::count_if(
      split.examples, [&](const Question& q) { return with.contains(reading(q)); }));
}

// "0: 480, 1: 520" in the task's order; nothing where options or texts are each example's own.
std::string label_counts(const Split& split, const Task& task) {
  if (task.generates() || !task.each_field.empty() || task.label_field.empty()) return "";
  std::vector<std::size_t> counts(task.options.size());
  for (const Question& q : split.examples) ++counts[static_cast<std::size_t>(q.right.at(0))];
  std::string text = "; labels";
  for (std::size_t i = 0; i < counts.size(); ++i)
    text += fmt::format("{} {}: {}", i ? "," : "", task.options[i].label, counts[i]);
  return text;
}

void show_options(const Question& q, const Task& task, const Tokenizer& tokenizer,
                  Console& console) {
  for (std::int64_t option = 0; option < q.options(); ++option) {
    Ids scored;
    for (const Question::Scored& s : q.scored)
      if (s.option == option) scored.push_back(s.token);
    const auto place = static_cast<std::size_t>(option);
    const bool right = std::ranges::find(q.right, option) != q.right.end();
    console.result(fmt::format("  {} {}: {} [{}]", right ? "right" : "wrong",
                               q.names.empty() ? task.options[place].label : shown(q.names[place]),
                               shown_ids(tokenizer, scored), fmt::join(scored, " ")));
  }
}

void show_example(const std::string& split, const Question& q, const Task& task,
                  const Tokenizer& tokenizer, Console& console) {
  const Ids& ids = q.pieces.at(0).tokens;
  console.result(fmt::format("{} row {}, {} tokens{}:\n  {}\n  [{}]", split, q.row, ids.size(),
                             q.cut > 0 ? fmt::format(", {} cut", q.cut) : "",
                             shown_ids(tokenizer, ids), fmt::join(ids, " ")));
  show_options(q, task, tokenizer, console);
  for (const std::string& answer : q.answers)
    console.result("  right " + shown(answer, longest_shown));
}

}  // namespace

void show_data(const Datasets& data, const Task& task, const Tokenizer& tokenizer,
               std::size_t examples, Console& console) {
  const std::set<std::vector<Ids>> trained =
      data.train ? readings(*data.train) : std::set<std::vector<Ids>>();
  if (!data.demonstrations.text.empty())
    console.result(fmt::format("demonstrations: {}\n  {}", data.demonstrations.begins.size(),
                               shown(data.demonstrations.text, longest_shown)));
  for (const auto& [name, split] : {std::pair("train", &data.train), std::pair("dev", &data.dev),
                                    std::pair("test", &data.test)}) {
    if (!*split) continue;
    const Split& own = **split;
    const auto cut =
        std::ranges::count_if(own.examples, [](const Question& q) { return q.cut > 0; });
    std::string line = fmt::format("{}: {} rows of {}{}; {} cut", name, own.examples.size(),
                                   own.path, label_counts(own, task), cut);
    if (split != &data.train && data.train)
      line += fmt::format("; {} that train has too", shared_rows(own, trained));
    console.result(line);
    for (std::size_t i = 0; i < std::min(examples, own.examples.size()); ++i)
      show_example(name, own.examples[i], task, tokenizer, console);
  }
}

}  // namespace mezo
