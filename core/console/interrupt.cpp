#include "core/console/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace mezo {

namespace {

std::atomic<int> received{0};
int objects = 0;
struct sigaction old_int, old_term, old_hup;

extern "C" void count_signal(int) {
  if (received.fetch_add(1) >= 2) _exit(6);
}

}  // namespace

Interrupt::Interrupt() {
  if (objects++ > 0) return;
  received = 0;
  struct sigaction action = {};
  action.sa_handler = count_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &old_int);
  sigaction(SIGTERM, &action, &old_term);
  sigaction(SIGHUP, nullptr, &old_hup);
  if (old_hup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // nohup asked for that
}

Interrupt::~Interrupt() {
  if (--objects > 0) return;
  sigaction(SIGINT, &old_int, nullptr);
  sigaction(SIGTERM, &old_term, nullptr);
  sigaction(SIGHUP, &old_hup, nullptr);
}

int Interrupt::signals() { return received; }

}  // namespace mezo
