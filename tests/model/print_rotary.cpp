// What rotary_of() makes of a config.json: the amplitude and each pair's frequency, a number a
// line, exact. For compare_rotary.py.
//
//     print_rotary CONFIG_JSON WIDTH
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "core/model/rotary_config.h"

int main(int, char** argv) try {
  std::ifstream file(argv[1]);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const mezo::Rotary rotary =
      mezo::rotary_of(mezo::ModelConfig::from_json(text, argv[1]), std::stol(argv[2]));
  std::printf("%a\n", double{rotary.amplitude});
  for (const float f : rotary.frequencies) std::printf("%a\n", double{f});
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
