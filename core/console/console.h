#pragma once
// Where a command's words go: results to stdout, everything else to stderr. All that is below
// core/run is given one and prints nothing by itself, so that a run is a function that a test, a
// comparison or another program can call. Writing never throws and never ends the process: a full
// disk, a closed descriptor or a reader that went away costs the words, not the run.

#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

class MEZO_API Console {
 public:
  virtual ~Console();

  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;

  // errno of the first result that could not be written, or 0: who would go on without end for a
  // reader that went away may ask.
  virtual int lost() const { return 0; }

  // Of stderr, for a line that is redrawn.
  virtual bool terminal() const { return false; }
  virtual std::size_t width() const { return 80; }

  // Whole lines, without their ends; several may be in one text. What a terminal should not get is
  // shown instead (core/config/display.h), and a line is cut where nobody would read on.
  void result(std::string_view line);   // to stdout
  void say(std::string_view line);      // to stderr, as are the others
  void note(std::string_view line);     // behind "note: "
  void warning(std::string_view line);  // behind "warning: "
};

// The process's own streams. What stdout did not take is remembered, because results were asked
// for; what stderr did not take is not.
class MEZO_API StandardConsole : public Console {
 public:
  // Descriptors that the process was started without are opened to nowhere, so that no file of a
  // run gets their number; a reader that goes away is an error of a write and no signal.
  StandardConsole();

  void out(std::string_view text) override;
  void err(std::string_view text) override;
  bool terminal() const override;
  std::size_t width() const override;

  int lost() const override { return lost_; }

 private:
  int lost_ = 0;
};

}  // namespace mezo
