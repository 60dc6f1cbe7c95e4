#include <doctest/doctest.h>

#include <random>
#include <sstream>

#include "core/config/emit.h"
#include "core/config/reader.h"
#include "core/config/spelling.h"
#include "core/error.h"
#include "sample.h"
#include "tests/scratch_folder.h"

using namespace mezo;

namespace {

const std::vector<std::string> nasty = {"",
                                        " ",
                                        " terrible",
                                        "great ",
                                        "a b",
                                        "null",
                                        "~",
                                        "true",
                                        "Yes",
                                        "on",
                                        "1",
                                        "1e-3",
                                        "0x10",
                                        "010",
                                        ".5",
                                        ".inf",
                                        "2024-01-01",
                                        "12:30",
                                        "-",
                                        "--",
                                        "---",
                                        "...",
                                        "- a",
                                        "? a",
                                        ": a",
                                        "a: b",
                                        "a:",
                                        "a #b",
                                        "#a",
                                        "a#b",
                                        "[a]",
                                        "{a: b}",
                                        "a, b",
                                        "*a",
                                        "&a",
                                        "!a",
                                        "|",
                                        ">",
                                        "%a",
                                        "@a",
                                        "`a`",
                                        "'",
                                        "\"",
                                        "it's",
                                        "\\",
                                        "\\n",
                                        "a\nb",
                                        "a\n",
                                        "\na",
                                        "a\tb",
                                        "\t",
                                        "\r",
                                        "\r\n",
                                        "\x01",
                                        "\x7f",
                                        "\x1b[0m",
                                        "é",
                                        "模型",
                                        "😀",
                                        "\xC2\x85",
                                        "\xE2\x80\xA8",
                                        "\xEF\xBB\xBF",
                                        "<<",
                                        "=",
                                        "{text} It was",
                                        "C:\\models",
                                        "a  b",
                                        "\n\n",
                                        "y",
                                        "+",
                                        ".",
                                        "..",
                                        "-1",
                                        "+1",
                                        std::string("a\0b", 3)};

Value read_again(const std::string& text) {
  auto source = std::make_shared<Source>();
  source->name = "again.yaml";
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) source->lines.push_back(line);
  source->lines.emplace_back();
  Diagnostics d;
  auto value = parse_file(source, d);
  REQUIRE_MESSAGE(!d.has_errors(), text << d.render());
  return *value;
}

// Equal in all that a check can see: a plain scalar may come back quoted only where it was text
// anyway.
bool means_the_same(const Value& a, const Value& b) {
  if (!same(a, b)) return false;
  if (a.is_scalar() && a.quoted != b.quoted && looks_typed(a.text) &&
      (std::holds_alternative<double>(read_number(a.text)) ||
       std::holds_alternative<bool>(read_boolean(a.text))))
    return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!means_the_same(a.items[i], b.items[i])) return false;
  for (std::size_t i = 0; i < a.entries.size(); ++i)
    if (!means_the_same(a.entries[i].value, b.entries[i].value)) return false;
  return true;
}

Value random_value(std::mt19937& random, int depth) {
  const auto pick = [&](std::size_t n) { return random() % n; };
  std::string text = nasty[pick(nasty.size())];
  if (pick(3) == 0) text += nasty[pick(nasty.size())];
  const std::size_t kind = pick(depth > 0 ? 6 : 3);
  if (kind == 0) return {};
  if (kind < 3) return Value::scalar(text, true);
  Value value = kind == 3 ? Value::sequence() : Value::map();
  for (std::size_t i = pick(4); i-- > 0;) {
    if (kind == 3)
      value.items.push_back(random_value(random, depth - 1));
    else if (const std::string& key = nasty[pick(nasty.size())]; !key.empty())
      value.set(key, random_value(random, depth - 1));
  }
  return value;
}

}  // namespace

TEST_CASE("every nasty text comes back from YAML as it was") {
  for (const std::string& text : nasty) {
    Value tree = Value::map();
    tree.set("block", Value::scalar(text, true));
    tree.set("list", Value::sequence());
    tree.entry("list")->value.items = {Value::scalar(text, true), Value::scalar(text, true)};
    if (!text.empty()) tree.set(text, Value::scalar("1"));
    const std::string yaml = to_yaml(tree);
    CHECK_MESSAGE(means_the_same(tree, read_again(yaml)), yaml);
  }
}

TEST_CASE("random trees come back from YAML as they were, and the text is stable") {
  std::mt19937 random(7);
  for (int i = 0; i < 1000; ++i) {
    Value tree = Value::map();
    tree.set("a", random_value(random, 4));
    tree.set("b", random_value(random, 4));
    const std::string yaml = to_yaml(tree);
    const Value again = read_again(yaml);
    CHECK_MESSAGE(means_the_same(tree, again), yaml);
    CHECK(to_yaml(again) == yaml);
  }
}

TEST_CASE("plain numbers and booleans stay plain, texts that look like them are quoted") {
  CHECK(to_yaml(Value::scalar("1e-3")) == "1e-3\n");
  CHECK(to_yaml(Value::scalar("1e-3", true)) == "\"1e-3\"\n");
  CHECK(to_yaml(Value::scalar("true")) == "true\n");
  CHECK(to_yaml(Value::scalar("true", true)) == "\"true\"\n");
  CHECK(to_yaml(Value::scalar("/data/opt-30m", true)) == "/data/opt-30m\n");
  CHECK(to_yaml(Value::scalar(" terrible", true)) == "\" terrible\"\n");
  CHECK_THROWS_AS(to_yaml(Value::scalar("\xFF", true)), ConfigError);
}

TEST_CASE("the resolved configuration of a run resolves to itself") {
  ScratchFolder folder;
  const std::string path = folder.write(
      "a.yaml",
      "model: {path: 'my models/opt: 30m'}\npeft: {type: lora, targets: ['1', q_proj, 'no']}\n"
      "task: {file: sst2, train: t}\noptimizer: {learning_rate: 1E-6}\ntrainer: {steps: 1e3, save: "
      "TRUE}\noutput: o\n");
  const std::string resolved = sample::check_run(path).resolved;
  const sample::Checked again = sample::check_run(folder.write("sub/config.yaml", resolved));
  CHECK(again.resolved == resolved);
  CHECK(again.trainer.integer("steps") == 1000);
  CHECK(again.peft.list("targets") == std::vector<std::string>{"1", "q_proj", "no"});
  CHECK(again.optimizer.is_word("epsilon"));
}
