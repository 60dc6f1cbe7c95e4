#pragma once
// What a person sees while a child process works: which one, since when, and the last thing that it
// said. On a terminal a line that is redrawn; elsewhere one line at the beginning.

#include <cstdint>
#include <string>

#include "core/console/console.h"
#include "core/console/stopwatch.h"

namespace mezo {

class ProgressLine {
 public:
  // What `log` has by now is of an earlier process.
  ProgressLine(Console& console, std::string title, std::string log);
  ~ProgressLine() { erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show();
  void erase();

  // Of what the process said at its end, where an error begins ("[resume] …", core/error.h), or
  // else the last line; "" if it said nothing.
  std::string reason() const;

 private:
  std::string end_of_log() const;

  Console& console_;
  std::string title_, log_;
  std::int64_t begin_ = 0;
  bool drawn_ = false;
  Stopwatch start_, last_;
};

}  // namespace mezo
