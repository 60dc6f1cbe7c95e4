#include <doctest/doctest.h>

#include "core/task/encode.h"
#include "tests/task/questions.h"
#include "tests/task/toy.h"

using namespace mezo;
using namespace mezo::test;
using Tokens = Ids;

namespace {

Question toy_encode(const Example& example, const Task& task, std::int64_t max_length = 100,
                    bool with_start = false) {
  return encode(example, task, toy_tokenizer(with_start), max_length, "toy.jsonl");
}

std::vector<Tokens> pieces(const Question& q) {
  std::vector<Tokens> list;
  for (const Question::Piece& piece : q.pieces) {
    CHECK(piece.follows == (list.empty() ? -1 : 0));
    list.push_back(piece.tokens);
  }
  return list;
}

// The scored tokens of each option.
std::vector<Tokens> scored(const Question& q) {
  std::vector<Tokens> list(static_cast<std::size_t>(q.options()));
  for (const Question::Scored& s : q.scored)
    list[static_cast<std::size_t>(s.option)].push_back(s.token);
  return list;
}

std::string data_error(const Example& example, const Task& task, std::int64_t max_length = 100) {
  try {
    toy_encode(example, task, max_length);
  } catch (const DataError& e) {
    return e.what();
  }
  return "no error";
}

// As the task block's `bos` says it.
SequenceStart toy_bos(const std::string& bos) {
  using Kind = SequenceStart::Kind;
  if (bos == "auto" || bos == "none") return {bos == "auto" ? Kind::tokenizer : Kind::none, 0};
  return {Kind::id, std::stoi(bos)};
}

}  // namespace

TEST_CASE("options of one token share the whole prompt as their context") {
  const Question q = toy_encode(toy_example("abc", "1"), toy_task());
  CHECK(pieces(q) == std::vector<Tokens>{{0, 1, 2}});
  CHECK(scored(q) == std::vector<Tokens>{{bad}, {great}});
  CHECK(q.right == std::vector<std::int64_t>{1});
  CHECK(q.row == 4);
  CHECK(q.rows() == 3);
}

TEST_CASE("an option's length is the length with it less the length without it") {
  const Question q = toy_encode(toy_example("a"), toy_task("{text}", {{"0", "xyz"}, {"1", "xq"}}));
  // x is common too, but it is scored.
  CHECK(pieces(q) == std::vector<Tokens>{{0}, {23, 24}, {23}});
  CHECK(scored(q) == std::vector<Tokens>{{23, 24, 25}, {23, 16}});
}

TEST_CASE("a prompt whose end merges into an option keeps the length rule") {
  // "a " is 2 tokens and "a great" is 2: the option would add none.
  CHECK(data_error(toy_example("a "), toy_task("{text}", {{"0", "great"}, {"1", "bad"}})) ==
        "toy.jsonl:7: the option 'great' adds no token to the prompt, so it cannot be scored");
}

TEST_CASE("what does not fit is cut on the left behind the sequence start") {
  const Question q = toy_encode(toy_example("abcdef"), toy_task(), 4, true);
  CHECK(pieces(q) == std::vector<Tokens>{{start, 4, 5}});
  CHECK(scored(q) == std::vector<Tokens>{{bad}, {great}});
}

TEST_CASE(
    "another start takes the place of the tokenizer's own, and is kept when the rest is cut") {
  const auto with = [](const std::string& bos, std::int64_t max_length) {
    return encode(toy_example("abcdef"), toy_task(), toy_tokenizer(true), max_length, "toy.jsonl",
                  toy_bos(bos).tokens(toy_tokenizer(true)))
        .pieces[0]
        .tokens;
  };
  CHECK(with("auto", 4) == Tokens{start, 4, 5});
  CHECK(with("9", 4) == Tokens{9, 4, 5});
  CHECK(with("none", 4) == Tokens{3, 4, 5});
  CHECK(with("9", 100) == Tokens{9, 0, 1, 2, 3, 4, 5});
  CHECK(with("none", 100) == Tokens{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a start is asked of the tokenizer only where nothing else is said") {
  CHECK(toy_bos("auto").tokens(toy_tokenizer()).empty());
  CHECK(toy_bos("auto").tokens(toy_tokenizer(true)) == Tokens{start});
  CHECK(toy_bos("0").tokens(toy_tokenizer()) == Tokens{0});
  CHECK(toy_bos("35").tokens(toy_tokenizer()) == Tokens{35});
  CHECK_THROWS_WITH_AS(toy_bos("36").tokens(toy_tokenizer()),
                       "[task] bos: expected an id of the tokenizer, 0 to 35, got 36", ConfigError);
}

TEST_CASE("options of unlike lengths are cut alike, so that they keep a common context") {
  const Question q =
      toy_encode(toy_example("abcdef"), toy_task("{text}", {{"0", "x"}, {"1", "yyy"}}), 6);
  CHECK(pieces(q) == std::vector<Tokens>{{3, 4, 5}, {24, 24}});
  CHECK(scored(q) == std::vector<Tokens>{{23}, {24, 24, 24}});
}

TEST_CASE("an option longer than the limit is an error with its line") {
  CHECK(data_error(toy_example("ab"), toy_task("{text}", {{"0", "xxx"}, {"1", "y"}}), 3) ==
        "toy.jsonl:7: the prompt leaves no token before the option 'xxx' (max_length 3)");
}

TEST_CASE("an empty prompt is an error unless the model starts every sequence with a token") {
  CHECK(data_error(toy_example(""), toy_task())
            .starts_with("toy.jsonl:7: the prompt leaves no token before the option"));
  CHECK(pieces(toy_encode(toy_example(""), toy_task(), 100, true)) == std::vector<Tokens>{{start}});
}

TEST_CASE("a token that the model's embedding lacks is an error with its line") {
  TokenizerSpec spec;
  spec.source = "toy";
  spec.vocabulary = {{"a", 0}, {"b", 1}};
  spec.added = {{.content = "<new>", .special = true}};
  const Tokenizer small = Tokenizer(spec).for_rows(2, "toy");
  const Task task = toy_task("{text}", {{"0", "a"}, {"1", "b"}});
  CHECK_NOTHROW(encode(toy_example("ab"), task, small, 100, "toy.jsonl"));
  CHECK_THROWS_WITH_AS(encode(toy_example("a<new>"), task, small, 100, "toy.jsonl"),
                       doctest::Contains("the text has the token '<new>' with the id 2"),
                       DataError);
}

TEST_CASE("options may have the example's fields in them") {
  const Task task = toy_task("{text}", {{"0", "{one|lower}"}, {"1", "{two}"}});
  const Example example{{{"text", "ab"}, {"one", "XYZ"}, {"two", "q"}, {"label", "1"}}, 4, 7};
  const Question q = toy_encode(example, task);
  CHECK(scored(q) == std::vector<Tokens>{{23, 24, 25}, {16}});
  CHECK(q.names.empty());
  CHECK(data_error(toy_example("ab"), task)
            .starts_with("toy.jsonl:7: [template] the prompt needs the field 'one'"));
}

namespace {

Task list_task(const std::string& answers) {
  Task task = toy_task("{text}", {});
  task.options.push_back({"", "x{names}"});
  task.each_field = "names";
  task.answers_field = answers;
  return task;
}

Example list_example(std::vector<std::string> names, std::vector<std::string> right) {
  return {{{"text", "ab"}, {"label", "2"}},
          4,
          7,
          {{"names", std::move(names)}, {"right", std::move(right)}}};
}

}  // namespace

TEST_CASE(
    "an option for each text of a list, of which several may be right, the first answer first") {
  const Question q =
      toy_encode(list_example({"a", "bc", "a", "d"}, {"d", "e", "a"}), list_task("right"));
  CHECK(scored(q) == std::vector<Tokens>{{23, 0}, {23, 1, 2}, {23, 3}});
  CHECK(q.names == std::vector<std::string>{"a", "bc", "d"});
  CHECK(q.right == std::vector<std::int64_t>{2, 0});
  // By its place in the list, where texts that stand twice count.
  CHECK(toy_encode(list_example({"a", "bc", "a", "d"}, {}), list_task("")).right ==
        std::vector<std::int64_t>{0});
}

TEST_CASE("a list that cannot be chosen from is an error with its line and field") {
  CHECK(data_error(list_example({"a", "b"}, {"c"}), list_task("right")) ==
        "toy.jsonl:7: no text of the field 'right' is one of 'names', which holds the options");
  CHECK(data_error(list_example({}, {"c"}), list_task("right")) ==
        "toy.jsonl:7: the field 'names', which holds the options, is empty");
  CHECK(data_error(toy_example("ab"), list_task("right")) ==
        "toy.jsonl:7: no list of texts in the field 'names', which holds the options");
  CHECK(data_error(list_example({"a", "b"}, {}), list_task("")) ==
        "toy.jsonl:7: label is '2', but 'names' has 2 texts, and a label is a place among them, "
        "from 0");
}

TEST_CASE("a calibrated score has the same options behind the neutral prompt") {
  Task task = toy_task("{text}", {{"0", "xyz"}, {"1", "q"}});
  task.score = OptionScore::calibrated;
  task.neutral_prompt = PromptTemplate("e");
  const Question q = toy_encode(toy_example("ab", "1"), task);
  CHECK(q.score == Question::Score::sum);
  REQUIRE(q.pieces.size() == 4);
  CHECK(q.pieces[2].tokens == Tokens{4});
  CHECK(q.pieces[3].tokens == Tokens{23, 24});
  CHECK(q.pieces[3].follows == 2);
  REQUIRE(q.subtracted.size() == q.scored.size());
  for (std::size_t i = 0; i < q.scored.size(); ++i) {
    CHECK(q.subtracted[i].token == q.scored[i].token);
    CHECK(q.subtracted[i].piece == q.scored[i].piece + 2);
  }
}

TEST_CASE("a label without an option is an error that lists the options") {
  CHECK(data_error(toy_example("a", "2"), toy_task()) ==
        "toy.jsonl:7: label is '2', but the task has options for 0, 1");
}

TEST_CASE("a missing label names the field that was meant") {
  const Example example{{{"text", "a"}, {"lable", "0"}}, 0, 3};
  CHECK(data_error(example, toy_task()) ==
        "toy.jsonl:3: no text or number in the field 'label', which holds the label; did you mean "
        "'lable'?");
}

TEST_CASE("a field that the prompt needs and the example lacks is named with near ones") {
  const std::string message = data_error(toy_example("a"), toy_task("{texd}"));
  CHECK(message.starts_with("toy.jsonl:7: "));
  CHECK(message.find("did you mean 'text'?") != std::string::npos);
}

TEST_CASE("all examples that are wrong are reported at once, the first twenty in full") {
  std::vector<Example> examples;
  for (std::int64_t i = 0; i < 25; ++i)
    examples.push_back({{{"text", "a"}, {"label", i % 2 ? "0" : "no"}}, i, i + 1});
  try {
    encode_all(examples, [](const Example& e) { return toy_encode(e, toy_task()); });
    FAIL("no error");
  } catch (const DataError& e) {
    const std::string text = e.what();
    CHECK(text.starts_with("toy.jsonl:1: label is 'no'"));
    CHECK(text.ends_with(" (and in 12 more: line 3, 5, 7, 9, 11, …)"));
    CHECK(text.find('\n') == std::string::npos);
  }
  for (Example& e : examples) e.fields["label"] = "no " + std::to_string(e.row);
  try {
    encode_all(examples, [](const Example& e) { return toy_encode(e, toy_task()); });
    FAIL("no error");
  } catch (const DataError& e) {
    CHECK(std::string(e.what()).ends_with("and 5 more like these"));
  }
}
