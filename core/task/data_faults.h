#pragma once
// Collects what is wrong with a data file, so that a user who mends it sees all of it at once and
// not one line a run. A fault that many lines have, as where a task names a field that the data
// lack, is told once.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

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

  // Throws one DataError with a line for each of the first faults, the lines that have it too, and
  // the number of the other faults.
  void throw_if_any() const;

 private:
  struct Fault {
    std::string message, lines;
    std::size_t more = 0;
  };
  void add(const std::string& message);

  std::vector<Fault> faults_;
  std::map<std::string, std::size_t> places_;  // in faults_, by the message without its line
  std::size_t untold_ = 0;
};

}  // namespace mezo
