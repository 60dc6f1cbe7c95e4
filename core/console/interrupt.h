#pragma once
// Ctrl-C (SIGINT) and SIGTERM as a question that loops ask. Each signal ends what goes on when it
// comes, in order: training after the step, and then what was learned is evaluated; an evaluation
// after the batch. The third ends the process at once.

#include "core/api.h"

namespace mezo {

class MEZO_API Interrupt {
 public:
  Interrupt();   // takes over both signals; one object at a time
  ~Interrupt();  // gives them back
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static int signals();  // how many came
  static bool stop() { return signals() > 0; }
};

}  // namespace mezo
