#pragma once
// A disk that is full, as a process sees it. Used by the tests of everything that writes.

#include <sys/resource.h>

#include <csignal>
#include <string>

#include "core/error.h"
#include "tests/io/golden_files.h"

namespace mezo {

// Makes every write past `limit` bytes of a file fail.
class FullDisk {
 public:
  explicit FullDisk(rlim_t limit) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{limit, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

// What `act` reports while the disk is full; no check may print while it is.
template <typename Act>
std::string message_when_full(rlim_t limit, Act&& act) {
  const FullDisk full(limit);
  return message_of<RunError>(act);
}

}  // namespace mezo
