#include "core/console/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace mezo {

namespace {

std::atomic<int> received{0};
struct sigaction old_int, old_term;

extern "C" void count_signal(int) {
  if (received.fetch_add(1) >= 2) _exit(6);
}

}  // namespace

Interrupt::Interrupt() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = count_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &old_int);
  sigaction(SIGTERM, &action, &old_term);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &old_int, nullptr);
  sigaction(SIGTERM, &old_term, nullptr);
}

int Interrupt::signals() { return received; }

}  // namespace mezo
