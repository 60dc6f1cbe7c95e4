// tokenize_lines FOLDER [whole]: reads texts in hexadecimal, one a line, and prints for each its
// ids, a tab and what they decode to in hexadecimal; `whole`: with what a model expects around
// them. compare_with_tokenizers.py and compare_with_auto_tokenizer.py drive it.

#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/text/tokenizer.h"
#include "tests/text/hex.h"

int main(int count, char** arguments) {
  const bool whole = count == 3 && std::string_view(arguments[2]) == "whole";
  if (count != 2 && !whole) {
    std::fprintf(stderr, "usage: tokenize_lines FOLDER [whole] < texts\n");
    return 2;
  }
  try {
    const auto tokenizer = mezo::Tokenizer::from_folder(arguments[1]);
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
  } catch (const mezo::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
