#pragma once
// Collects everything that is wrong with a configuration, so that a user sees all of it at once,
// each with the line it is about. Readers and checks take a Diagnostics& and go on after an error
// where they can; the caller ends a phase with throw_if_any().

#include <cstddef>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/config/codes.h"
#include "core/config/source.h"

namespace mezo {

struct Diagnostic {
  Code code = Code::syntax;
  Mark mark;
  std::string message;  // one line, ends without a full stop
  std::string hint;     // what to do, shown on a line of its own; may be empty
  Mark related;  // another place that matters (the first of two equal keys); shown where it has a
                 // source
  std::string relation;  // what it is: "first given here"
};

class MEZO_API Diagnostics {
 public:
  void error(Diagnostic diagnostic);
  void error(Code code, Mark mark, std::string message, std::string hint = "");
  void warning(Code code, Mark mark, std::string message, std::string hint = "");

  bool has_errors() const { return !errors_.empty(); }
  const std::vector<Diagnostic>& errors() const { return errors_; }
  const std::vector<Diagnostic>& warnings() const { return warnings_; }

  // All errors (or warnings) in the order of their positions, files before arguments: position, id,
  // message, source line and caret, hint. Errors end with a line that counts them; at most 50 are
  // shown. Ends with a line feed unless empty.
  std::string render() const;
  std::string render_warnings() const;

  // Throws ConfigError with render() less its last line feed.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> errors_;
  std::vector<Diagnostic> warnings_;
};

}  // namespace mezo
