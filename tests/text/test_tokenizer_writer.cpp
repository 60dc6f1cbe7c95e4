// What is written is read back as the same tokenizer. check_export.py compares with the packages.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "core/error.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_writer.h"

namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

// Letters, digits, a space, three words, and tokens that are not text.
mezo::TokenizerSpec small_spec() {
  mezo::TokenizerSpec spec;
  spec.source = "the test";
  std::int32_t next = 0;
  for (const char* token : {"<s>", "</s>", "a", "b", "1", "2", "Ġ", "ab", "12", "Ġab", "<user>"})
    spec.vocabulary.emplace_back(token, next++);
  spec.merges = {{"a", "b"}, {"1", "2"}, {"Ġ", "ab"}};
  spec.added = {{.content = "<s>", .special = true},
                {.content = "</s>", .special = true, .lstrip = true, .rstrip = true},
                {.content = "<user>", .normalized = true},
                {.content = "<new>", .special = true}};
  return spec;
}

mezo::Tokenizer written_and_read(const mezo::TokenizerSpec& spec) {
  const fs::path folder =
      fs::path(MEZO_BINARY_DIR) / ("test_tokenizer_writer_" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "tokenizer.json") << mezo::tokenizer_json(spec);
  std::ofstream(folder / "tokenizer_config.json") << mezo::tokenizer_config_json(spec);
  mezo::Tokenizer tokenizer = mezo::Tokenizer::from_folder(folder);
  fs::remove_all(folder);
  return tokenizer;
}

Ids ids_of(std::span<const std::int32_t> ids) { return {ids.begin(), ids.end()}; }

// LLaMA's pieces: characters, bytes for what is lacking, "▁" for a space and before the text.
mezo::TokenizerSpec spec_of_characters() {
  mezo::TokenizerSpec spec = small_spec();
  const mezo::PatternSpec space{" "}, mark{"\u2581"};
  spec.vocabulary = {{"<unk>", 0},    {"a", 1},      {"b", 2},      {"\u2581", 3}, {"ab", 4},
                     {"\u2581ab", 5}, {"<0xC3>", 6}, {"<0xA9>", 7}, {"1", 8},      {"2", 9}};
  spec.merges = {{"a", "b"}, {"\u2581", "ab"}};
  spec.unknown = "<unk>";
  spec.byte_fallback = spec.fuse_unknown = true;
  spec.normalizer = {mezo::normalizer::Prepend{mark.text}, mezo::ReplaceStep{space, mark.text}};
  spec.pre_tokenizer.clear();
  spec.decoder = {mezo::ReplaceStep{mark, space.text}, mezo::decoder::ByteFallback{},
                  mezo::decoder::Fuse{}, mezo::decoder::Strip{" ", 1, 0}};
  return spec;
}

mezo::TokenizerSpec spec_of_words() {
  mezo::TokenizerSpec spec = spec_of_characters();
  spec.model = mezo::TokenizerModel::word_piece;
  spec.vocabulary = {{"[UNK]", 0}, {"a", 1}, {"b", 2},   {"##b", 3},
                     {"ab", 4},    {"1", 5}, {"##2", 6}, {"e", 7}};
  spec.merges.clear();
  spec.byte_fallback = false;
  spec.unknown = "[UNK]";
  spec.normalizer = {mezo::normalizer::Bert{}};
  spec.pre_tokenizer = {mezo::pretokenizer::Bert{}};
  spec.decoder = {mezo::decoder::WordPiece{}};
  return spec;
}

mezo::TokenizerSpec spec_of_scores() {
  mezo::TokenizerSpec spec = spec_of_characters();
  spec.model = mezo::TokenizerModel::unigram;
  spec.merges.clear();
  spec.normalizer = {mezo::NormalForm::nfkc};
  spec.pre_tokenizer = {mezo::MetaspaceStep{}};
  spec.decoder = {mezo::MetaspaceStep{}};
  spec.scores = {0, -3, -3.5, -2, -4.25, -5, -6, -6, -1.1, -1.2};
  return spec;
}

void check_same(const mezo::TokenizerSpec& spec) {
  const mezo::Tokenizer before(spec), after = written_and_read(spec);
  for (const char* text : {"ab ab", "1212 ab12", "a </s> b<s>ab", "<user>ab <new>", " ab", "x",
                           "\u00e9 e\u0301 \u732b", "a\n\nb", "AB don't"}) {
    CAPTURE(text);
    CHECK(after.encode(text) == before.encode(text));
    CHECK(after.decode(before.encode(text)) == before.decode(before.encode(text)));
  }
  CHECK(after.vocabulary_size() == before.vocabulary_size());
  CHECK(ids_of(after.sequence_start()) == ids_of(before.sequence_start()));
  CHECK(ids_of(after.sequence_end()) == ids_of(before.sequence_end()));
  CHECK(after.special().bos == before.special().bos);
  CHECK(after.special().eos == before.special().eos);
  CHECK(after.special().unk == before.special().unk);
}

}  // namespace

TEST_CASE("a written tokenizer reads as it was, with every setting") {
  using Change = std::function<void(mezo::TokenizerSpec&)>;
  const Change changes[] = {
      [](auto&) {},
      [](auto& spec) {
        spec.pre_tokenizer = {mezo::pretokenizer::Digits{true}, mezo::pretokenizer::ByteLevel{}};
      },
      [](auto& spec) {
        spec.pre_tokenizer = {mezo::pretokenizer::ByteLevel{true, true}};
      },
      [](auto& spec) { spec.ignore_merges = true; },
      [](auto& spec) { spec.unknown = "</s>", spec.fuse_unknown = true; },
      [](auto& spec) {
        spec.start = {{"<s>", -1}}, spec.end = {{"", 1}};
      },
      [](auto& spec) {
        spec.roles = {{"bos", {"<s>", -1}}, {"eos", {"", 1}}, {"unk", {"", 99}}};
      }};
  for (const Change& change : changes) {
    mezo::TokenizerSpec spec = small_spec();
    change(spec);
    check_same(spec);
  }
}

TEST_CASE("a written tokenizer reads as it was, with every kind of model") {
  check_same(spec_of_characters());
  check_same(spec_of_words());
  check_same(spec_of_scores());
}

TEST_CASE("a written tokenizer reads as it was, with every kind of step") {
  using namespace mezo;
  for (const normalizer::Step& step : std::vector<normalizer::Step>{
           NormalForm::nfc, NormalForm::nfd, NormalForm::nfkc, NormalForm::nfkd,
           normalizer::Lowercase{}, normalizer::StripAccents{}, normalizer::Strip{true, false},
           ReplaceStep{{"a+", true}, "b"},
           normalizer::Bert{.strip_accents = false, .lowercase = true}}) {
    TokenizerSpec spec = small_spec();
    spec.normalizer = {step, normalizer::Prepend{"a"}};
    check_same(spec);
  }
  for (const pretokenizer::Step& step : std::vector<pretokenizer::Step>{
           pretokenizer::Split{{"b|\\s", true}, SplitBehavior::removed, true},
           pretokenizer::Split{{"a"}, SplitBehavior::merged_with_next},
           pretokenizer::Split{{"a"}, SplitBehavior::merged_with_previous},
           pretokenizer::Split{{"a"}, SplitBehavior::contiguous}, pretokenizer::Digits{},
           pretokenizer::Punctuation{}, pretokenizer::WhitespaceSplit{}, pretokenizer::Bert{},
           MetaspaceStep{.scheme = PrependScheme::first, .split = false}}) {
    TokenizerSpec spec = small_spec();
    spec.pre_tokenizer = {step, pretokenizer::ByteLevel{.use_regex = false}};
    check_same(spec);
  }
}

TEST_CASE("roles and sequence tokens given by id are written by content") {
  mezo::TokenizerSpec spec = small_spec();
  spec.roles = {{"eos", {"", 1}}};
  spec.start = {{"", 0}};
  const mezo::Tokenizer read = written_and_read(spec);
  CHECK(read.special().eos == 1);
  CHECK(ids_of(read.sequence_start()) == Ids{0});
}

TEST_CASE("a token that is not UTF-8 cannot be written") {
  mezo::TokenizerSpec spec = small_spec();
  spec.vocabulary.emplace_back("\xff", 20);
  std::string text;
  try {
    mezo::tokenizer_json(spec);
  } catch (const mezo::ModelError& error) {
    text = error.what();
  }
  CHECK(text.starts_with("[tokenizer] the test: expected tokens in UTF-8, got one that is not"));
}
