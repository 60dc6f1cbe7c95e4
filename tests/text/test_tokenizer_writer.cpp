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

void check_same(const mezo::TokenizerSpec& spec) {
  const mezo::Tokenizer before(spec), after = written_and_read(spec);
  for (const char* text : {"ab ab", "1212 ab12", "a </s> b<s>ab", "<user>ab <new>", " ab", "x"})
    CHECK(after.encode(text) == before.encode(text));
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
