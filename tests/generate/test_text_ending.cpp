#include <doctest/doctest.h>

#include <string>

#include "core/generate/text_ending.h"
#include "core/text/tokenizer_spec.h"
#include "tests/task/toy.h"

using namespace mezo;
using namespace mezo::test;

namespace {

// Adds the tokens of a text until one ends it.
Generated written(const TextEnds& ends, const std::string& text, std::int64_t room = 100) {
  const Tokenizer tokenizer = toy_tokenizer();
  TextEnding ending(ends, tokenizer, room);
  for (const std::int32_t token : tokenizer.encode(text))
    if (ending.add(token)) break;
  REQUIRE(ending.finished());
  return ending.result();
}

}  // namespace

TEST_CASE("a text ends at as many tokens as were asked for, or as there is room for") {
  CHECK(written({.max_new_tokens = 3}, "abcdef").text == "abc");
  const Generated made = written({.max_new_tokens = 9}, "abcdef", 2);
  CHECK(made.text == "ab");
  CHECK(made.finish == Finish::length);
}

TEST_CASE("an end token is no part of the text") {
  const TextEnds ends{.max_new_tokens = 9, .end_tokens = {20, 'c' - 'a'}};
  const Generated made = written(ends, "abcdef");
  CHECK(made.text == "ab");
  CHECK(made.tokens == std::vector<std::int32_t>{0, 1, 2});
  CHECK(made.finish == Finish::end_token);
  CHECK(written(ends, "cab").text.empty());
}

TEST_CASE("a stop string ends a text within a token, across tokens and at its beginning") {
  const auto stop = [](std::vector<std::string> strings, const std::string& text) {
    return written({.max_new_tokens = 12, .end_tokens = {}, .stop = std::move(strings)}, text);
  };
  const Generated across = stop({"cde"}, "abcdefgh");
  CHECK(across.text == "ab");
  CHECK(across.tokens.size() == 5);
  CHECK(across.finish == Finish::stop_string);
  CHECK(stop({"rea"}, "so great now").text == "so g");  // " great" is one token
  CHECK(stop({"at no"}, "so great now").text == "so gre");
  CHECK(stop({"ab"}, "abcdefgh").text.empty());
  CHECK(stop({"fg", "cd"}, "abcdefgh").text == "ab");  // the first that comes
  CHECK(stop({"xyz"}, "abcdefghijkl").finish == Finish::length);
}

TEST_CASE(
    "a stop string behind characters that are tokens of bytes is seen, wherever one looks from") {
  TokenizerSpec spec;
  spec.pre_tokenizer = {};
  spec.decoder = {decoder::ByteFallback{}, decoder::Fuse{}};
  spec.byte_fallback = true;
  constexpr const char* digits = "0123456789ABCDEF";
  for (std::int32_t byte = 0; byte < 256; ++byte)
    spec.vocabulary.emplace_back(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">",
                                 byte);
  const Tokenizer tokenizer(spec);
  const TextEnds ends{.max_new_tokens = 40, .end_tokens = {}, .stop = {"\n"}};
  const std::string smile = "\U0001F600", before = smile + smile + smile + smile + "\u00E9";
  TextEnding ending(ends, tokenizer, 100);
  for (const char byte : before + "\n") {
    REQUIRE(!ending.finished());
    ending.add(static_cast<unsigned char>(byte));
  }
  REQUIRE(ending.finished());
  CHECK(ending.result().text == before);
  CHECK(ending.result().finish == Finish::stop_string);
}

TEST_CASE("special tokens are no part of a text") {
  const Tokenizer tokenizer = toy_tokenizer();
  const TextEnds ends{.max_new_tokens = 3};
  TextEnding ending(ends, tokenizer, 100);
  ending.add(0);
  ending.add(start);
  ending.add(1);
  CHECK(ending.result().text == "ab");
}

TEST_CASE("logits that are no numbers end a text") {
  const Tokenizer tokenizer = toy_tokenizer();
  const TextEnds ends{.max_new_tokens = 9};
  TextEnding ending(ends, tokenizer, 100);
  ending.add(0);
  ending.fail();
  CHECK(ending.result().text == "a");
  CHECK(ending.result().finish == Finish::not_a_number);
}
