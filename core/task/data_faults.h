#pragma once
// Collects what is wrong with a data file, so that a user who mends it sees all of it at once and
// not one line a run.

#include <cstddef>
#include <string>

#include "core/error.h"

namespace mezo {

class DataFaults {
 public:
  // Runs `call` and keeps the message of a DataError that leaves it.
  template <class Call>
  void collect(Call&& call) {
    try {
      call();
    } catch (const DataError& e) {
      add(e.what());
    }
  }

  // Throws one DataError with a line for each of the first faults and the number of the others.
  void throw_if_any() const;

 private:
  void add(const std::string& message);

  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace mezo
