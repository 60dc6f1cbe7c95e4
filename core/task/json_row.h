#pragma once
// The fields of one line of a .jsonl file. Numbers keep the digits that they have there, however
// long, since they are text to a prompt.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text/template.h"

namespace mezo {

// What is wrong with a line; `byte` is where, from 0, or npos.
class RowError : public DataError {
 public:
  RowError(std::size_t byte, const std::string& message) : DataError(message), byte_(byte) {}
  ~RowError() override;
  std::size_t byte() const noexcept { return byte_; }

 private:
  std::size_t byte_;
};

struct JsonRow {
  PromptTemplate::Fields fields;
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
};

// Its texts, numbers and booleans by their names, and its lists of such. What an object within it
// holds has a dotted name ("answers.text"); nulls and lists of anything else give nothing. Throws
// RowError for what is no JSON object, has a name twice, or is nested more than 32 deep.
JsonRow parse_json_row(const std::string& line);

}  // namespace mezo
