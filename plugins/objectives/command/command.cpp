// A user's program judges generated texts: the objective is the mean of the numbers that it gives
// them, or minus that. Whatever can be computed of a text can be trained for, in any language.

#include <ATen/ops/empty.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/plugin/component.h"
#include "core/task/objective.h"
#include "program.h"

namespace {

class Command : public mezo::Objective {
 public:
  explicit Command(const mezo::Parameters& p)
      : words_(p.list("command")),
        sign_(p.boolean("maximise") ? -1 : 1),
        timeout_(p.number("timeout")) {
    if (words_.empty() || words_[0].empty())
      throw mezo::ConfigError(
          "[objective] command: expected the words of a command, such as [python3, judge.py]");
  }

  mezo::Needs needs() const override { return {.option_scores = false, .texts = true}; }

  at::Tensor value(const mezo::Outputs& outputs, const mezo::Targets& targets) const override {
    if (!program_) program_ = std::make_unique<Program>(words_);
    const std::vector<double> numbers = program_->answers(lines_of(outputs, targets), timeout_);
    const auto streams = outputs.texts.size(), examples = targets.answers.size();
    at::Tensor out = at::empty({static_cast<std::int64_t>(streams)}, at::kDouble);
    for (std::size_t s = 0; s < streams; ++s) {
      double sum = 0;
      for (std::size_t e = 0; e < examples; ++e) sum += numbers[s * examples + e];
      out.mutable_data_ptr<double>()[s] = sign_ * sum / static_cast<double>(examples);
    }
    return out;
  }

 private:
  // All streams' texts: a program that judges many at once has all that there are.
  static std::vector<std::string> lines_of(const mezo::Outputs& outputs,
                                           const mezo::Targets& targets) {
    constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
    std::size_t left = outputs.texts.size() * targets.answers.size();
    std::vector<std::string> lines;
    for (const std::vector<std::string>& texts : outputs.texts)
      for (std::size_t e = 0; e < texts.size(); ++e) {
        const nlohmann::ordered_json line = {{"text", texts[e]},
                                             {"answers", targets.answers[e]},
                                             {"index", targets.rows[e]},
                                             {"left", --left}};
        lines.push_back(line.dump(-1, ' ', true, replace) + "\n");
      }
    return lines;
  }

  std::vector<std::string> words_;
  double sign_, timeout_;
  mutable std::unique_ptr<Program> program_;  // from the first step on: an evaluation needs none
};

constexpr mezo_parameter parameters[] = {
    {"command", MEZO_TEXT_LIST, nullptr, nullptr, nullptr, nullptr,
     "the program and its arguments, a list of words that no shell reads"},
    {"maximise", MEZO_BOOLEAN, "true", nullptr, nullptr, nullptr,
     "whether higher numbers are better"},
    {"timeout", MEZO_NUMBER, "60", "(0, inf)", nullptr, "s",
     "the longest that the program may take for its next number"}};

constexpr mezo_component components[] = {mezo::component<Command, mezo::Objective>(
    MEZO_OBJECTIVE, "command",
    "the mean of numbers that a program gives generated texts; not differentiable", parameters)};

}  // namespace

MEZO_PLUGIN("command", "1.0.0", "A user's program as an objective", "MIT", components)
