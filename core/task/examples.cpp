#include "core/task/examples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/config/display.h"
#include "core/error.h"
#include "core/io/read_file.h"
#include "core/task/data_faults.h"
#include "core/task/json_row.h"

namespace mezo {

namespace {

// Where a message belongs: "data/train.jsonl:17: ".
struct Place {
  const std::string& path;
  std::int64_t line;

  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(path + ":" + std::to_string(line) + ": " + message);
  }
  [[noreturn]] void fail(int column, const std::string& message) const {
    throw DataError(path + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                    message);
  }
};

JsonRow parse_json(const std::string& text, const Place& place) {
  try {
    return parse_json_row(text);
  } catch (const RowError& e) {
    if (e.byte() == std::string::npos) place.fail(e.what());
    place.fail(column_at(text, e.byte()), e.what());
  }
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

JsonRow parse_tsv(const std::string& text, const std::vector<std::string>& header,
                  const Place& place) {
  const std::vector<std::string> cells = split_tabs(text);
  if (cells.size() != header.size())
    place.fail("expected " + std::to_string(header.size()) +
               " tab-separated values as in the header, got " + std::to_string(cells.size()));
  PromptTemplate::Fields fields;
  for (std::size_t i = 0; i < cells.size(); ++i) fields[header[i]] = cells[i];
  return {std::move(fields), {}};
}

std::vector<std::string> parse_header(const std::string& line, const Place& place) {
  std::vector<std::string> names = split_tabs(line);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty())
      place.fail("the header names no field in column " + std::to_string(i + 1));
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i))
      place.fail("the header names the field " + shown(names[i]) + " twice");
  }
  return names;
}

// std::getline(), but a line that does not end is not read until memory does.
bool read_line(std::ifstream& in, std::string& line, const Place& place) {
  constexpr std::size_t longest = std::size_t{1} << 26;
  line.clear();
  for (int c; (c = in.rdbuf()->sbumpc()) != std::char_traits<char>::eof();) {
    if (c == '\n') return true;
    if (line.size() == longest)
      place.fail("the line has more than " + std::to_string(longest) + " bytes");
    line += static_cast<char>(c);
  }
  return !line.empty();
}

// The next line without its end; a byte order mark is dropped from the first.
bool next_line(std::ifstream& in, std::string& line, std::int64_t& number,
               const std::string& path) {
  if (!read_line(in, line, {path, ++number})) return false;
  if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

void check_utf8(const std::string& line, const Place& place) {
  if (const std::size_t bad = find_invalid_utf8(line); bad != std::string::npos)
    place.fail(column_at(line, bad), "not UTF-8 text; save the file as UTF-8");
}

bool blank(const std::string& line) { return line.find_first_not_of(" \t") == std::string::npos; }

// Opens a file that must be one; reports what it is instead.
std::ifstream open(const std::string& path) {
  if (const std::string problem = unreadable(path); !problem.empty())
    throw DataError(path + ": " + problem + "; expected a .jsonl or .tsv file");
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".tsv" && extension != ".jsonl" && extension != ".json")
    throw DataError(path + ": expected a .jsonl or .tsv file, got " +
                    (extension.empty() ? "no extension" : shown(extension)));
  return std::ifstream(path, std::ios::binary);
}

}  // namespace

std::vector<Example> read_examples(const std::string& path, std::int64_t limit) {
  std::ifstream in = open(path);
  const bool tsv = path.ends_with(".tsv");
  DataFaults faults;
  std::vector<Example> examples;
  std::vector<std::string> header;
  std::string line;
  std::int64_t number = 0, row = 0;
  if (tsv && next_line(in, line, number, path)) {
    check_utf8(line, {path, number});
    header = parse_header(line, {path, number});
  }
  while ((limit == 0 || row < limit) && next_line(in, line, number, path)) {
    if (blank(line)) continue;
    faults.collect([&] {
      const Place place{path, number};
      check_utf8(line, place);
      JsonRow values = tsv ? parse_tsv(line, header, place) : parse_json(line, place);
      examples.push_back({std::move(values.fields), row, number, std::move(values.lists)});
    });
    ++row;
  }
  if (in.bad()) throw DataError(path + ": reading failed after line " + std::to_string(number));
  faults.throw_if_any();
  if (examples.empty()) throw DataError(path + ": holds no examples");
  return examples;
}

Example example_of(const std::string& line, const std::string& path, std::int64_t row,
                   std::int64_t number) {
  const Place place{path, number};
  check_utf8(line, place);
  JsonRow values = parse_json(line, place);
  return {std::move(values.fields), row, number, std::move(values.lists)};
}

}  // namespace mezo
