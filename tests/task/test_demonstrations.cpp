#include <doctest/doctest.h>

#include "core/error.h"
#include "core/task/demonstrations.h"
#include "core/task/encode.h"
#include "tests/task/questions.h"
#include "tests/task/toy.h"

using namespace mezo;
using namespace mezo::test;

TEST_CASE("a task that does not say what is right has no demonstrations") {
  Task task = toy_task();
  task.label_field.clear();
  CHECK_THROWS_WITH_AS(demonstrations_of({toy_example("ab")}, task, toy_tokenizer(), "toy.jsonl"),
                       "toy.jsonl:7: nothing says what is right (toy.yaml)", DataError);
}

TEST_CASE("demonstrations have no white space at their ends and a blank line behind each") {
  const Tokenizer tokenizer = toy_tokenizer();
  Task task = toy_task(" {text}", {{"0", " bad"}, {"1", " great "}});
  const auto text = [&](const std::string& label) {
    try {
      return demonstrations_of({toy_example("ab", label)}, task, tokenizer, "toy.jsonl").text;
    } catch (const DataError& error) {
      return std::string(error.what());
    }
  };
  CHECK(text("0") == "ab bad\n\n");
  CHECK(text("1") == "ab great\n\n");
  CHECK(text("2").find("label is '2'") != std::string::npos);
}

TEST_CASE("what is before the prompt is before every option and the neutral prompt") {
  Task task = toy_task();
  task.score = OptionScore::calibrated;
  task.neutral_prompt = PromptTemplate("z");
  const Question q = encode(toy_example("c"), task, toy_tokenizer(), 100, "toy.jsonl", {}, "ab");
  REQUIRE(q.pieces.size() >= 2);
  CHECK(q.pieces[0].tokens == Ids{0, 1, 2});
  bool neutral = false;
  for (const Question::Piece& piece : q.pieces) neutral |= piece.tokens == Ids{0, 1, 25};
  CHECK(neutral);
}

TEST_CASE("those are whole that begin behind what is cut") {
  const Demonstrations three{"a\n\nb\n\nc\n\n", {0, 3, 6}};
  DemonstrationCount count(three);
  Question question;
  for (const std::int64_t cut : {3, 4}) {
    question.cut = cut;
    count.see(question);
  }
  CHECK(count.text().find("demonstrations: 3 rows of train before every prompt; 1 to 2 of them") ==
        0);
  question.cut = 0;
  DemonstrationCount all(three);
  all.see(question);
  CHECK(all.text() == "demonstrations: 3 rows of train before every prompt, all whole");
}
