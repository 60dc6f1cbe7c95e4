#pragma once
// Lines of stdin as they come, from another program that may still be writing.

#include <optional>
#include <string>

namespace mezo {

class ArrivingLines {
 public:
  // A line without its end. `wait`: until there is one; else only one that has come whole. Nothing:
  // there is none, at the end, after a signal (interrupt.h) or, without `wait`, by now. Throws
  // DataError where stdin cannot be read and for a line of more than 64 MiB.
  std::optional<std::string> next(bool wait);

 private:
  bool fill(bool wait);

  std::string come_;          // and not given out yet
  std::size_t searched_ = 0;  // bytes of it that hold no end of a line
  bool ended_ = false;
};

}  // namespace mezo
