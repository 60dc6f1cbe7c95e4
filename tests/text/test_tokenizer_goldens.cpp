// What make_goldens.py took from the tokenizers package, for each form of pre-tokenizer.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/text/tokenizer.h"
#include "core/text/utf8.h"
#include "tests/text/hex.h"

namespace {

namespace fs = std::filesystem;

const fs::path goldens = fs::path(MEZO_SOURCE_DIR) / "tests/text/goldens";

void check_cases(const mezo::Tokenizer& tokenizer, const char* folder) {
  std::ifstream lines(goldens / folder / "cases.jsonl");
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto wanted = nlohmann::json::parse(line);
    const std::string text = from_hex(wanted["text"].get<std::string>());
    CAPTURE(text);
    const auto ids = tokenizer.encode(text);
    CHECK(ids == wanted["ids"].get<std::vector<std::int32_t>>());
    CHECK(mezo::replace_invalid_utf8(tokenizer.decode(ids)) ==
          from_hex(wanted["decoded"].get<std::string>()));
  }
  CHECK(count > 200);
}

mezo::GgufVocabulary as_gguf(const char* folder, std::string pre_tokenizer) {
  std::ifstream file(goldens / folder / "tokenizer.json");
  const auto json = nlohmann::json::parse(file);
  mezo::GgufVocabulary vocabulary;
  vocabulary.source = "made.gguf";
  vocabulary.pre_tokenizer = std::move(pre_tokenizer);
  const auto put = [&](const std::string& token, std::size_t id, int type) {
    if (vocabulary.tokens.size() <= id)
      vocabulary.tokens.resize(id + 1), vocabulary.types.resize(id + 1, 1);
    vocabulary.tokens[id] = token;
    vocabulary.types[id] = type;
  };
  for (const auto& [token, id] : json["model"]["vocab"].items()) put(token, id, 1);
  for (const auto& token : json["added_tokens"])
    put(token["content"], token["id"], token["special"] ? 3 : 4);
  for (const auto& merge : json["model"]["merges"]) {
    vocabulary.merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  }
  return vocabulary;
}

}  // namespace

TEST_CASE("tokenizer.json with GPT-2's pre-tokenizer gives the package's ids") {
  check_cases(mezo::Tokenizer::from_folder(goldens / "gpt2"), "gpt2");
}

TEST_CASE("tokenizer.json with single digits gives the package's ids") {
  check_cases(mezo::Tokenizer::from_folder(goldens / "smollm"), "smollm");
}

TEST_CASE("lstrip, rstrip, a prefix space and ignore_merges give the package's ids") {
  check_cases(mezo::Tokenizer::from_folder(goldens / "roberta"), "roberta");
}

TEST_CASE("the arrays of a GGUF file give the package's ids") {
  check_cases(mezo::Tokenizer::from_vocabulary(as_gguf("gpt2", "gpt-2")), "gpt2");
  check_cases(mezo::Tokenizer::from_vocabulary(as_gguf("smollm", "smollm")), "smollm");
}

TEST_CASE("vocab.json and merges.txt give the package's ids") {
  const fs::path folder = fs::path(MEZO_BINARY_DIR) / "test_text_vocab_and_merges";
  fs::create_directories(folder);
  for (const char* name : {"vocab.json", "merges.txt"}) {
    fs::copy_file(goldens / "gpt2" / name, folder / name, fs::copy_options::overwrite_existing);
  }
  std::ofstream(folder / "config.json")
      << R"({"model_type": "roberta", "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1})";
  check_cases(mezo::Tokenizer::from_folder(folder), "gpt2");
}
