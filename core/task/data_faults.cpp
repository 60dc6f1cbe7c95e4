#include "core/task/data_faults.h"

namespace mezo {

namespace {

constexpr std::size_t most_shown = 20;  // a file in the wrong format is wrong in every line

}  // namespace

void DataFaults::add(const std::string& message) {
  if (count_++ < most_shown) text_ += (text_.empty() ? "" : "\n") + message;
}

void DataFaults::throw_if_any() const {
  if (count_ == 0) return;
  throw DataError(count_ <= most_shown ? text_
                                       : text_ + "\nand " + std::to_string(count_ - most_shown) +
                                             " more like these");
}

}  // namespace mezo
