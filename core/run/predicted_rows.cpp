#include "core/run/predicted_rows.h"

#include <optional>

#include "core/error.h"

namespace mezo {

PredictedRows::PredictedRows(const std::string& file)
    : name_(file == "-" ? "stdin" : file), stream_(file == "-") {
  if (!stream_) all_ = read_examples(file);
}

std::vector<Example> PredictedRows::next(std::size_t most) {
  std::vector<Example> rows;
  if (!stream_) {
    while (rows.size() < most && done_ < all_.size()) rows.push_back(std::move(all_[done_++]));
    return rows;
  }
  if (fault_) std::rethrow_exception(fault_);
  while (rows.size() < most) {
    std::optional<std::string> line = lines_.next(rows.empty());
    if (!line) break;
    ++line_;
    if (line->ends_with('\r')) line->pop_back();
    if (line->find_first_not_of(" \t") == std::string::npos) continue;
    try {
      rows.push_back(example_of(*line, name_, row_++, line_));
    } catch (const DataError&) {
      if (rows.empty()) throw;
      fault_ = std::current_exception();  // the rows before it are answered first
      break;
    }
  }
  return rows;
}

}  // namespace mezo
