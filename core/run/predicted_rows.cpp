#include "core/run/predicted_rows.h"

#include <iostream>

#include "core/console/interrupt.h"

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
  std::string line;
  while (rows.size() < most && (rows.empty() || std::cin.rdbuf()->in_avail() > 0) &&
         !Interrupt::stop() && std::getline(std::cin, line)) {
    ++line_;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") != std::string::npos)
      rows.push_back(example_of(line, name_, row_++, line_));
  }
  return rows;
}

}  // namespace mezo
