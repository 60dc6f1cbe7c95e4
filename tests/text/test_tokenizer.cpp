// What a tokenizer promises beyond the goldens: time, round trips, special ids.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "core/error.h"
#include "core/text/known_expressions.h"
#include "core/text/tokenizer.h"

namespace {

const std::filesystem::path golden_folder =
    std::filesystem::path(MEZO_SOURCE_DIR) / "tests/text/goldens";

const mezo::Tokenizer& gpt2() {
  static const auto tokenizer = mezo::Tokenizer::from_folder(golden_folder / "gpt2");
  return tokenizer;
}

// Seconds of this process's CPU, so that what else the machine does counts as little as it can.
double cpu_time_of(const mezo::Tokenizer& tokenizer, const std::string& text) {
  const std::clock_t start = std::clock();
  tokenizer.encode(text);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

std::size_t count_ids(const std::string& text) { return gpt2().encode(text).size(); }

// A tokenizer that cuts by an expression.
mezo::Tokenizer cut_by(const char* expression) {
  mezo::TokenizerSpec spec;
  spec.source = "m.json";
  spec.vocabulary = {{"a", 0}, {"\u0120", 1}, {"1", 2}};
  spec.pre_tokenizer = {mezo::pretokenizer::Split{{expression, true}},
                        mezo::pretokenizer::ByteLevel{.use_regex = false}};
  return mezo::Tokenizer(spec);
}

// One that normalizes, and reads characters.
mezo::Tokenizer of_characters(mezo::NormalForm form, mezo::TokenizerModel model) {
  mezo::TokenizerSpec spec;
  spec.model = model;
  spec.normalizer = {form};
  spec.pre_tokenizer.clear();
  spec.vocabulary = {{"?", 0}, {"a", 1}, {"aa", 2}, {"aaaa", 3}, {"##a", 4}, {" ", 5}};
  spec.scores = {0, -1, -1.5, -1.75, -9, -1};
  spec.merges = {};
  if (model == mezo::TokenizerModel::bpe) spec.merges = {{"a", "a"}, {"aa", "aa"}};
  spec.unknown = "?";
  return mezo::Tokenizer(spec);
}

// Four times would be the square of the length; sharing a core's cache makes some rounds slower, so
// the fastest of each length counts, measured in turn.
void check_linear(const mezo::Tokenizer& tokenizer, const std::string& unit) {
  CAPTURE(unit);
  const std::string short_text = repeated(unit, 100'000), long_text = repeated(unit, 200'000);
  double once = 1e9, twice = 1e9;
  for (int round = 0; round < 3 || (round < 20 && twice / once >= 3.0); ++round) {
    once = std::min(once, cpu_time_of(tokenizer, short_text));
    twice = std::min(twice, cpu_time_of(tokenizer, long_text));
  }
  CHECK(once < 1.0);
  CHECK(twice / once < 3.0);
}

}  // namespace

TEST_CASE("a word without a space of twice the length takes about twice the time") {
  for (const char* unit : {"a", "the", "harbourmaster", "\xE7\x8C\xAB", "!", " ", "\n", "</s", "1"})
    check_linear(gpt2(), unit);
}

TEST_CASE("so it does with Llama 3's expression, normal forms and other models") {
  const mezo::Tokenizer llama3 = cut_by(mezo::kLlama3Expression);
  for (const char* unit : {"a", " ", "\n", " \n", "1", "!", "'", "\u0301"})
    check_linear(llama3, unit);
  for (const auto form : {mezo::NormalForm::nfc, mezo::NormalForm::nfkd})
    for (const auto model : {mezo::TokenizerModel::bpe, mezo::TokenizerModel::word_piece,
                             mezo::TokenizerModel::unigram})
      for (const char* unit : {"a", "\u0301\u0323", " a", "\uac00"})
        check_linear(of_characters(form, model), unit);
}

TEST_CASE("an expression that would take hours is an error") {
  const std::string text = repeated("a", 10'000) + "!";
  for (const char* expression : {"(?:a+)+b", "(?:a|a)+b", "a+a+a+b", "(?:a(?=a*b|a))+b"}) {
    CAPTURE(expression);
    const std::clock_t start = std::clock();
    CHECK_THROWS_WITH_AS(
        cut_by(expression).encode(text),
        "the expression by which m.json cuts text takes too long on a text of 10001 "
        "bytes",
        mezo::DataError);
    CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 20);
  }
}

TEST_CASE("decode returns the bytes of what was encoded") {
  for (const std::string& text : {std::string("It was great.\n"), std::string("\0nul\0", 5),
                                  std::string("\xF0\x9F\x98\x80 caf\xC3\xA9")}) {
    CHECK(gpt2().decode(gpt2().encode(text)) == text);
  }
}

TEST_CASE("decode gives the bytes of half a character as they are") {
  const std::string emoji = "\xF0\x9F\x98\x80";
  const auto ids = gpt2().encode(emoji);
  REQUIRE(ids.size() > 1);
  const std::string first = gpt2().decode(std::span(ids).first(1));
  CHECK(first == emoji.substr(0, first.size()));
  CHECK(first.size() < emoji.size());
}

TEST_CASE("decode passes over ids that have no token") {
  const std::vector<std::int32_t> ids{-1, 1'000'000, *gpt2().token_id("a")};
  CHECK(gpt2().decode(ids) == "a");
}

TEST_CASE("an added token decodes to its content even where its letters spell bytes") {
  mezo::TokenizerSpec spec;
  spec.added.push_back({.content = "<\xC3\xA9\xC4\xA0>"});
  const mezo::Tokenizer tokenizer(spec);
  CHECK(tokenizer.decode(tokenizer.encode("<\xC3\xA9\xC4\xA0>")) == "<\xC3\xA9\xC4\xA0>");
}

TEST_CASE("invalid bytes are encoded as U+FFFD") {
  CHECK(gpt2().encode("a\xFF\xC3") == gpt2().encode("a\xEF\xBF\xBD\xEF\xBF\xBD"));
}

TEST_CASE("bytes that the vocabulary lacks become the unknown token or nothing") {
  mezo::TokenizerSpec spec;
  spec.vocabulary = {{"a", 0}, {"?", 1}};
  CHECK(mezo::Tokenizer(spec).encode("abba") == std::vector<std::int32_t>{0, 0});
  spec.unknown.emplace("?");
  CHECK(mezo::Tokenizer(spec).encode("abba") == std::vector<std::int32_t>{0, 1, 1, 0});
  spec.fuse_unknown = true;
  CHECK(mezo::Tokenizer(spec).encode("abba") == std::vector<std::int32_t>{0, 1, 0});
}

TEST_CASE("added tokens that the vocabulary lacks are counted on from its size") {
  mezo::TokenizerSpec spec;
  spec.vocabulary = {{"a", 0}, {"b", 1}};
  spec.added = {{.content = "<x>"}, {.content = "b"}, {.content = "<y>"}};
  const mezo::Tokenizer tokenizer(spec);
  CHECK(tokenizer.encode("<y>a<x>b") == std::vector<std::int32_t>{3, 0, 2, 1});
  CHECK(tokenizer.vocabulary_size() == 4);
}

TEST_CASE("white space that rstrip has taken is not found again as a token of lstrip") {
  mezo::TokenizerSpec spec;
  spec.added = {{.content = "<x>", .rstrip = true}, {.content = "\n", .lstrip = true}};
  const mezo::Tokenizer tokenizer(spec);
  CHECK(tokenizer.encode("<x> \n<x>\n\n<x>\n") == std::vector<std::int32_t>{0, 0, 0});
}

TEST_CASE("an empty text has no ids") { CHECK(count_ids("") == 0); }
