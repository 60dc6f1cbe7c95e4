#pragma once
// Where a value was written. Every node of a configuration keeps a Mark, so that an error found
// long after reading (a range, a missing component) can still show the line and point at the
// column. A mark costs a shared pointer and two numbers.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

// A file, or one key=value argument of the command line.
struct Source {
  std::string name;                // as the user gave it, "argument 3" for an override
  std::filesystem::path folder;    // absolute; relative paths written in this source start here
  std::vector<std::string> lines;  // without line ends
  int argument = 0;                // the argument's number, 0 for a file
};

struct Mark {
  std::shared_ptr<const Source> source;
  int line = 0;    // from 1; 0: the source as a whole
  int column = 0;  // from 1, in characters (not bytes)

  // "configs/a.yaml:3:5", "argument 2", or "" for a mark without a source.
  MEZO_API std::string place() const;
};

}  // namespace mezo
