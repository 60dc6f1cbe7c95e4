#pragma once
// Examples as they stand in a data file: named text fields, one row each. Reads JSON lines (.jsonl,
// .json) and tab-separated values with a header line (.tsv), in UTF-8. Numbers and booleans become
// text as JSON writes them; other JSON values are errors only when a prompt needs them.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/text/template.h"

namespace mezo {

struct Example {
  PromptTemplate::Fields fields;
  std::int64_t row = 0;   // in the file, from 0, blank lines not counted
  std::int64_t line = 0;  // in the file, from 1
  // Of JSON rows: the lists of texts, numbers and booleans, by name. Neither has what an object
  // within the row holds but under a dotted name: "answers.text".
  std::map<std::string, std::vector<std::string>, std::less<>> lists = {};
};

// The first `limit` rows (0: all). Throws DataError with file:line for all that cannot be read, and
// for a file without rows.
MEZO_API std::vector<Example> read_examples(const std::string& path, std::int64_t limit = 0);

// One line of a .jsonl file, of whatever source. Throws DataError with path:line.
MEZO_API Example example_of(const std::string& line, const std::string& path, std::int64_t row,
                            std::int64_t number);

}  // namespace mezo
