#pragma once
// A user's program that answers each line of its stdin with a line of its stdout that is a number.
// Its stderr is that of this process. It is a process group of its own, so that Ctrl-C at a
// terminal ends the run and not the program under it.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

class Program {
 public:
  // Starts it; words are not read by a shell, and the first is looked for in PATH. Throws
  // mezo::RunError.
  explicit Program(std::vector<std::string> words);

  // Closes its stdin, which asks it to end, and ends it where it does not within two seconds.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Writes `lines`, which end in '\n', and returns a finite number for each. `patience`: seconds
  // that the next answer may take. Throws mezo::RunError that names the program and the line where
  // it ends, is too slow, says what is no number, or more than it was asked.
  std::vector<double> answers(const std::vector<std::string>& lines, double patience);

 private:
  struct Exchange;
  void write_some(Exchange&);
  void read_some(Exchange&);
  void take_lines(Exchange&);
  void refuse_unasked();
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_at_end(const Exchange&);
  bool wait_for_end(double seconds);
  std::string end_text();

  std::vector<std::string> words_;
  pid_t pid_ = -1;  // -1: it has ended and was waited for
  int in_ = -1, out_ = -1;
  int status_ = 0;
  std::string read_;          // of a line that has not ended
  std::size_t answered_ = 0;  // lines of all calls
};
