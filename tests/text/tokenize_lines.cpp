// tokenize_lines FOLDER|GGUF.json [whole]: reads texts in hexadecimal, one a line, and prints for
// each its ids, a tab and what they decode to in hexadecimal; `whole`: with what a model expects
// around them. A .json file has the arrays of a GGUF file's tokenizer under the names of
// GgufVocabulary. tokenize_lines GGUF.json write FOLDER: writes it as a folder. The scripts beside
// this drive it.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_writer.h"
#include "tests/text/hex.h"

namespace {

mezo::GgufVocabulary gguf_of(const std::string& path) {
  std::ifstream file(path);
  const auto json = nlohmann::json::parse(file);
  mezo::GgufVocabulary vocabulary;
  vocabulary.source = path;
  const auto read = [&](const char* key, auto& to) {
    if (json.contains(key)) to = json[key].template get<std::decay_t<decltype(to)>>();
  };
  read("model", vocabulary.model);
  read("tokens", vocabulary.tokens);
  read("types", vocabulary.types);
  read("merges", vocabulary.merges);
  read("scores", vocabulary.scores);
  read("pre_tokenizer", vocabulary.pre_tokenizer);
  read("add_space_prefix", vocabulary.add_space_prefix);
  read("add_bos", vocabulary.add_bos);
  read("add_eos", vocabulary.add_eos);
  const auto read_id = [&](const char* key, std::optional<std::int32_t>& to) {
    if (json.contains(key)) to = json[key].get<std::int32_t>();
  };
  read_id("bos", vocabulary.bos);
  read_id("eos", vocabulary.eos);
  read_id("unk", vocabulary.unk);
  return vocabulary;
}

mezo::Tokenizer tokenizer_of(const std::string& path) {
  if (path.ends_with(".json")) return mezo::Tokenizer::from_vocabulary(gguf_of(path));
  return mezo::Tokenizer::from_folder(path);
}

void write(const std::string& path, const std::string& folder) {
  const mezo::TokenizerSpec spec = mezo::spec_of(gguf_of(path));
  std::ofstream(folder + "/tokenizer.json") << mezo::tokenizer_json(spec);
  std::ofstream(folder + "/tokenizer_config.json") << mezo::tokenizer_config_json(spec);
}

void tokenize(const mezo::Tokenizer& tokenizer, bool whole) {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    auto ids = tokenizer.encode(from_hex(line));
    if (whole) {
      const auto start = tokenizer.sequence_start(), end = tokenizer.sequence_end();
      ids.insert(ids.begin(), start.begin(), start.end());
      ids.insert(ids.end(), end.begin(), end.end());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) std::cout << (i ? " " : "") << ids[i];
    std::cout << '\t' << to_hex(tokenizer.decode(ids)) << '\n';
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view verb = count > 2 ? arguments[2] : "";
  const bool writes = count == 4 && verb == "write", whole = count == 3 && verb == "whole";
  if (count != 2 && !writes && !whole) {
    std::fprintf(stderr, "usage: tokenize_lines FOLDER|GGUF.json [whole|write FOLDER] < texts\n");
    return 2;
  }
  try {
    if (writes) {
      write(arguments[1], arguments[3]);
    } else {
      tokenize(tokenizer_of(arguments[1]), whole);
    }
  } catch (const mezo::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
