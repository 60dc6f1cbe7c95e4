#pragma once
// Reads the tab-separated files that make_goldens.py writes: a vector of fields for each line that
// is not a comment. And what those fields hold.

#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace mezo {

inline std::vector<std::vector<std::string>> golden_lines(const std::string& name) {
  std::ifstream file(std::string(MEZO_SOURCE_DIR) + "/tests/zo/golden/" + name);
  if (!file) throw std::runtime_error("no golden file " + name);
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    std::vector<std::string> fields;
    std::istringstream split(line);
    for (std::string field; std::getline(split, field, '\t');) fields.push_back(field);
    lines.push_back(fields);
  }
  return lines;
}

inline std::uint32_t word(const std::string& text, int base = 10) {
  return static_cast<std::uint32_t>(std::stoull(text, nullptr, base));
}

inline std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  if (hex == "-") return bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace mezo
