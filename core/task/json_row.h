#pragma once
// The fields of one line of a .jsonl file. Numbers keep the digits that they have there, however
// long, since they are text to a prompt.

#include <cstddef>
#include <string>

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

// Its texts, numbers and booleans by their names; lists, objects and nulls give no field. Throws
// RowError for what is no JSON object, has a key twice, or is nested more than 32 deep.
PromptTemplate::Fields parse_json_row(const std::string& line);

}  // namespace mezo
