#include "core/io/shrunk_file.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace mezo {

namespace {

// Plain words that a signal handler may read while they are written: `begin` is set last and
// cleared first.
struct Mapped {
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::atomic<const char*> path{nullptr};
};
std::array<Mapped, 4096> mapped;

void write_text(const char* text) {
  [[maybe_unused]] const auto lost = ::write(STDERR_FILENO, text, std::strlen(text));
}

extern "C" void bus_error(int signal, siginfo_t* info, void*) {
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (const Mapped& m : mapped) {
    const std::uintptr_t begin = m.begin;
    if (begin == 0 || at < begin || at >= m.end) continue;
    write_text("[model] ");
    write_text(m.path);
    write_text(": the file became shorter while it was being read; nothing was written to it\n");
    ::_exit(5);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void name_shrunk_files() {
  struct sigaction action = {};
  action.sa_sigaction = bus_error;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

void remember_mapped(std::span<const std::byte> bytes, const char* path) {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  for (Mapped& m : mapped) {
    const char* none = nullptr;
    if (m.path != nullptr || !m.path.compare_exchange_strong(none, "")) continue;
    m.path = ::strdup(path);
    m.end = begin + bytes.size();
    m.begin = begin;
    return;
  }
}

void forget_mapped(std::span<const std::byte> bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  for (Mapped& m : mapped) {
    if (m.begin != begin) continue;
    m.begin = 0;
    ::free(const_cast<char*>(m.path.exchange(nullptr)));
    return;
  }
}

}  // namespace mezo
