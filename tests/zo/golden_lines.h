#pragma once
// Reads the tab-separated files that make_goldens.py writes: a vector of fields for each line that
// is not a comment.

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

}  // namespace mezo
