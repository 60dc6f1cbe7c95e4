#pragma once
// The rows that a prediction is made of, a few at a time: of a file, or of a stream that another
// program may still be writing.

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "core/run/arriving_lines.h"
#include "core/task/examples.h"

namespace mezo {

class PredictedRows {
 public:
  // "-": stdin. A file is read whole, as examples.h says, and throws DataError.
  explicit PredictedRows(const std::string& file);

  // At most so many, none at the end. Of a stream those that have come, one at least: it waits for
  // no more, and no longer than until a signal comes. Throws DataError for a line that is no row.
  std::vector<Example> next(std::size_t most);

  const std::string& name() const { return name_; }  // for messages

 private:
  std::string name_;
  bool stream_;
  std::vector<Example> all_;  // of a file
  std::size_t done_ = 0;
  ArrivingLines lines_;
  std::exception_ptr fault_;  // of a line behind rows that were given out
  std::int64_t row_ = 0, line_ = 0;
};

}  // namespace mezo
