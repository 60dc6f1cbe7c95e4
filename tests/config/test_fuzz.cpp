// Deterministic mutations of valid configurations. Whatever comes in, a configuration is accepted
// or refused with a ConfigError; anything else (a crash, another exception, a report of a
// sanitizer) fails the test.

#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "core/config/emit.h"
#include "core/config/reader.h"
#include "core/error.h"
#include "sample.h"
#include "tests/long_tests.h"
#include "tests/scratch_folder.h"

namespace {

const std::vector<std::string> seeds = {
    "model: {path: models/opt-30m, type: auto, dtype: auto}\npeft: {type: lora, rank: 8, alpha: "
    "16, targets: [q, v]}\n"
    "objective: {type: cross_entropy}\ntask: {file: sst2, train: data/train.jsonl, max_length: "
    "2048}\n"
    "optimizer: {learning_rate: 1e-6, epsilon: 1e-3, weight_decay: 0}\ntrainer: {steps: 20000, "
    "seed: 0}\noutput: runs/a\n",
    "# a comment\nmodel:\n  path: \"models/opt\\t30m\"\ntask: &task\n  file: 'it''s'\n  train: |\n "
    "   text\n      more\n"
    "peft:\n  type: lora\n  targets:\n    - q_proj\n    - &v v_proj\n    - *v\noutput: >-\n  "
    "folded\n  text\n",
    "%YAML 1.2\n---\nmodel: {path: a}\n? task\n: {file: x, train: y}\noutput: é模😀\n...\n",
};

const std::vector<std::string> pieces = {"[",
                                         "]",
                                         "{",
                                         "}",
                                         ":",
                                         ": ",
                                         ",",
                                         "- ",
                                         "? ",
                                         "\n",
                                         "\n  ",
                                         "\t",
                                         "#",
                                         " #",
                                         "&a",
                                         "*a",
                                         "*v",
                                         "!!",
                                         "!",
                                         "|\n",
                                         ">-\n",
                                         "'",
                                         "\"",
                                         "\\",
                                         "\\x4",
                                         "%",
                                         "@",
                                         "---",
                                         "\n---\n",
                                         "\n...\n",
                                         "<<: ",
                                         "~",
                                         "\r",
                                         "\xEF\xBB\xBF",
                                         "\xFF",
                                         "\x04",
                                         "1e999",
                                         "0x",
                                         "extends: a.yaml\n",
                                         "type: full"};

std::string mutated(std::mt19937& random) {
  const auto pick = [&](std::size_t n) { return random() % n; };
  std::string text = seeds[pick(seeds.size())];
  for (std::size_t n = 1 + pick(3); n-- > 0;) {
    const std::size_t at = pick(text.size() + 1),
                      length = pick(std::min<std::size_t>(text.size() - at, 20) + 1);
    switch (pick(5)) {
      case 0:
        text.insert(at, pieces[pick(pieces.size())]);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(pick(text.size() + 1), text.substr(at, length));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(pick(256));
        break;
      default:
        text.replace(at, length, pieces[pick(pieces.size())]);
        break;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("mutated configurations are accepted or refused, never worse") {
  mezo::ScratchFolder folder;
  std::mt19937 random(20240);
  int accepted = 0, refused = 0;
  for (int i = 0; i < mezo::short_or_long(1000, 3000); ++i) {
    const std::string text = mutated(random);
    const std::string path = folder.write("fuzz.yaml", text);
    CAPTURE(text);
    try {
      const sample::Checked run = sample::check_run(path);
      ++accepted;
      // What was accepted can be written and is accepted again, unchanged.
      CHECK(sample::check_run(folder.write("again.yaml", run.resolved)).resolved == run.resolved);
    } catch (const mezo::ConfigError& error) {
      ++refused;
      CHECK(std::strlen(error.what()) > 20);
    }
  }
  CHECK(accepted > mezo::short_or_long(30, 100));
  CHECK(refused > mezo::short_or_long(150, 500));
}

TEST_CASE("mutated arguments are accepted or refused, never worse") {
  mezo::ScratchFolder folder;
  const std::string path = folder.write("a.yaml", seeds[0]);
  const std::vector<std::string> arguments = {
      "optimizer.epsilon=1e-3", "peft.targets=[q_proj, 'v proj']", "peft={type: prefix, tokens: 5}",
      "output=runs/x", "trainer.steps="};
  std::mt19937 random(7);
  for (int i = 0; i < mezo::short_or_long(700, 2000); ++i) {
    std::string text = arguments[random() % arguments.size()];
    for (int n = 0; n < 2; ++n)
      text.replace(random() % (text.size() + 1), random() % 3, pieces[random() % pieces.size()]);
    CAPTURE(text);
    try {
      sample::check_run(path, {text, arguments[random() % arguments.size()]});
    } catch (const mezo::ConfigError&) {
    }
  }
}
