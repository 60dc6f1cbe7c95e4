// tokenize_lines FOLDER: reads texts in hexadecimal, one a line, and prints for each its ids, a tab
// and what they decode to in hexadecimal. compare_with_tokenizers.py drives it.

#include <cstdio>
#include <iostream>

#include "core/error.h"
#include "core/text/tokenizer.h"
#include "tests/text/hex.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: tokenize_lines FOLDER < texts\n");
    return 2;
  }
  try {
    const auto tokenizer = mezo::Tokenizer::from_folder(arguments[1]);
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
      const auto ids = tokenizer.encode(from_hex(line));
      for (std::size_t i = 0; i < ids.size(); ++i) std::cout << (i ? " " : "") << ids[i];
      std::cout << '\t' << to_hex(tokenizer.decode(ids)) << '\n';
    }
  } catch (const mezo::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
