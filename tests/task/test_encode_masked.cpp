// Questions for a model that fills a mask, by hand.
#include <doctest/doctest.h>

#include "core/task/encode_masked.h"
#include "tests/task/questions.h"
#include "tests/task/toy.h"

using namespace mezo;
using namespace mezo::test;

namespace {

constexpr std::int32_t mask = 36, pad = 37, b = 1, c = 2, x = 23, space = 26;

// The toy's letters with a mask and padding.
Tokenizer masked_tokenizer() {
  TokenizerSpec spec;
  spec.source = "toy";
  for (int i = 0; i < 26; ++i) spec.vocabulary.emplace_back(std::string(1, char('a' + i)), i);
  for (const char* token :
       {"Ġ", "<s>", "Ġg", "Ġgr", "Ġgre", "Ġgrea", "Ġgreat", "Ġb", "Ġba", "Ġbad", "<mask>", "<pad>"})
    spec.vocabulary.emplace_back(token, static_cast<std::int32_t>(spec.vocabulary.size()));
  spec.merges = {{"Ġ", "g"},     {"Ġg", "r"}, {"Ġgr", "e"}, {"Ġgre", "a"},
                 {"Ġgrea", "t"}, {"Ġ", "b"},  {"Ġb", "a"},  {"Ġba", "d"}};
  spec.added = {{"<s>", true}, {"<mask>", true}, {"<pad>", true}};
  spec.roles = {{"mask", {"<mask>", -1}}, {"pad", {"<pad>", -1}}};
  spec.start = {{"<s>", -1}};
  spec.end = {{"b", -1}};
  return Tokenizer(spec);
}

Task masked_task() { return toy_task("{text} x<mask>.{other}"); }

Example masked_example(const std::string& text, const std::string& other) {
  return {{{"text", text}, {"other", other}, {"label", "1"}}, 4, 7};
}

Ids masked_ids(const std::string& text, const std::string& other, std::int64_t max_length) {
  const Question q = MaskedEncoder(masked_task(), masked_tokenizer(), max_length)(
      masked_example(text, other), "toy.jsonl");
  return q.pieces.at(0).tokens;
}

std::string message_of(const Task& task, const Tokenizer& tokenizer, const Example& example,
                       std::int64_t max_length = 100) {
  try {
    MaskedEncoder(task, tokenizer, max_length)(example, "toy.jsonl");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a masked prompt is one sequence, and its options are words at the mask") {
  const Tokenizer tokenizer = masked_tokenizer();
  const Task task = masked_task();
  const Question q = MaskedEncoder(task, tokenizer, 100)(masked_example("bc", " great"), "t");
  // The "." has no token in this vocabulary and is dropped.
  REQUIRE(q.pieces.size() == 1);
  CHECK(q.pieces[0].tokens == Ids{start, b, c, space, x, mask, great, b});
  CHECK(q.pieces[0].follows == -1);
  REQUIRE(q.scored.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(q.scored[i].index == 5);
    CHECK(q.scored[i].token == (i ? great : bad));
    CHECK(q.scored[i].option == static_cast<std::int64_t>(i));
  }
  CHECK(q.right == std::vector<std::int64_t>{1});
  CHECK(q.row == 4);
}

TEST_CASE("pieces are tokenised one by one, and outer spaces of a field are kept") {
  CHECK(masked_ids("b ", "c", 100) == Ids{start, b, space, space, x, mask, c, b});
}

TEST_CASE("a sequence that is too long loses the ends of its longest fields") {
  CHECK(masked_ids("bbbb", "cc", 10) == Ids{start, b, b, b, space, x, mask, c, c, b});
  CHECK(masked_ids("bbbb", "cc", 8) == Ids{start, b, space, x, mask, c, c, b});
  CHECK(masked_ids("bbbb", "cc", 6) == Ids{start, space, x, mask, c, b});
  CHECK(masked_ids("bbbb", "cc", 5) == Ids{start, space, x, mask, b});
  CHECK(message_of(masked_task(), masked_tokenizer(), masked_example("b", "c"), 4) ==
        "toy.jsonl:7: the prompt is longer than max_length 4 without its fields");
}

TEST_CASE("a field loses what is behind its first tokens, however long the rest may be") {
  const Question q =
      MaskedEncoder(toy_task("{text|first_tokens(2)}<mask>{other}"), masked_tokenizer(), 100)(
          masked_example("bbbb", "cc"), "toy.jsonl");
  CHECK(q.pieces.at(0).tokens == Ids{start, b, b, mask, c, c, b});
}

TEST_CASE("what a mask cannot take is refused") {
  const Example example = masked_example("b", "c");
  CHECK(says(message_of(toy_task("{text}"), masked_tokenizer(), example),
             "expected one <mask>, which this model fills, got 0"));
  CHECK(says(message_of(toy_task("<mask>{text}<mask>"), masked_tokenizer(), example), "got 2"));
  CHECK(says(message_of(masked_task(), toy_tokenizer(), example), "no mask token is named"));
  CHECK(says(
      message_of(toy_task("<mask>", {{"0", " bad"}, {"1", " bed"}}), masked_tokenizer(), example),
      "the option ' bed' is 3 tokens of this model, and a mask is filled by one"));
  CHECK(says(message_of(toy_task("<mask>", {{"0", " bad"}, {"1", " {text}"}}), masked_tokenizer(),
                        example),
             "the option ' {text}' has fields"));
  CHECK(says(message_of(masked_task(), masked_tokenizer(), masked_example("a<mask>", "c")),
             "toy.jsonl:7: the mask token stands in the text 'a<mask>'"));
  CHECK(says(message_of(masked_task(), masked_tokenizer(), masked_example("a", "<pad>")),
             "the padding token stands in the text"));
}
