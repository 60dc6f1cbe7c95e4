#include "core/task/examples.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace mezo {

namespace {

std::string place(const std::string& path, std::int64_t line) { return path + ":" + std::to_string(line) + ": "; }

PromptTemplate::Fields parse_json(const std::string& text, const std::string& where) {
  nlohmann::json row;
  try {
    row = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    throw DataError(where + "not a JSON object: " + e.what());
  }
  if (!row.is_object()) throw DataError(where + "expected a JSON object, got " + row.type_name());
  PromptTemplate::Fields fields;
  for (const auto& [key, value] : row.items()) {
    if (value.is_string())
      fields[key] = value.get<std::string>();
    else if (value.is_number() || value.is_boolean())
      fields[key] = value.dump();
  }
  return fields;
}

std::vector<std::string> split_tabs(const std::string& line) {
  std::vector<std::string> cells;
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find('\t', begin);
    cells.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) return cells;
    begin = end + 1;
  }
}

PromptTemplate::Fields parse_tsv(const std::string& text, const std::vector<std::string>& header, const std::string& where) {
  const std::vector<std::string> cells = split_tabs(text);
  if (cells.size() != header.size())
    throw DataError(where + "expected " + std::to_string(header.size()) + " tab-separated values as in the header, got " +
                    std::to_string(cells.size()));
  PromptTemplate::Fields fields;
  for (std::size_t i = 0; i < cells.size(); ++i) fields[header[i]] = cells[i];
  return fields;
}

// The next line without its end; a byte order mark is dropped from the first.
bool next_line(std::ifstream& in, std::string& line, std::int64_t& number) {
  if (!std::getline(in, line)) return false;
  if (++number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

}  // namespace

std::vector<Example> read_examples(const std::string& path, std::int64_t limit) {
  const std::string extension = std::filesystem::path(path).extension().string();
  const bool tsv = extension == ".tsv";
  if (!tsv && extension != ".jsonl" && extension != ".json")
    throw DataError(path + ": expected a .jsonl or .tsv file, got '" + extension + "'");
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) throw DataError(path + ": is a folder, expected a .jsonl or .tsv file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw DataError(path + ": cannot be read: " + std::generic_category().message(errno));

  std::vector<Example> examples;
  std::string line;
  std::int64_t number = 0;
  std::vector<std::string> header;
  if (tsv && next_line(in, line, number)) header = split_tabs(line);
  while ((limit == 0 || static_cast<std::int64_t>(examples.size()) < limit) && next_line(in, line, number)) {
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    const std::string where = place(path, number);
    Example example;
    example.fields = tsv ? parse_tsv(line, header, where) : parse_json(line, where);
    example.row = static_cast<std::int64_t>(examples.size());
    example.line = number;
    examples.push_back(std::move(example));
  }
  if (in.bad()) throw DataError(path + ": reading failed after line " + std::to_string(number));
  if (examples.empty()) throw DataError(path + ": holds no examples");
  return examples;
}

}  // namespace mezo
