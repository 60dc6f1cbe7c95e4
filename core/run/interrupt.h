#pragma once
// Ctrl-C (SIGINT) and SIGTERM as a question that loops ask. The first signal asks for an orderly end: the step is finished and
// what was learned is evaluated. The second one asks to skip even that. The third ends the process at once.

#include "core/api.h"

namespace mezo {

class MEZO_API Interrupt {
 public:
  Interrupt();   // takes over both signals; one object at a time
  ~Interrupt();  // gives them back
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static bool stop();      // at least one signal came
  static bool stop_now();  // at least two
};

}  // namespace mezo
