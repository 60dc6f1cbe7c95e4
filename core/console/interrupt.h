#pragma once
// Ctrl-C (SIGINT) and SIGTERM as a question that loops ask. Each signal ends what goes on when it
// comes, in order: training after the step, and then what was learned is evaluated; an evaluation
// after the batch. The third ends the process at once.

#include "core/api.h"

namespace mezo {

class MEZO_API Interrupt {
 public:
  // Takes over both signals until the last object is gone: within another's life this one changes
  // nothing, so that a signal which came before it still counts. Of one thread.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static int signals();  // how many came
  static bool stop() { return signals() > 0; }
};

}  // namespace mezo
