#include "core/plugin/blame.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace mezo {

namespace {

char suspect[4096];
std::atomic<bool> blaming{false}, leaving{false};

void write_text(const char* text) {
  [[maybe_unused]] const auto lost = ::write(STDERR_FILENO, text, std::strlen(text));
}

extern "C" void crashed(int signal) {
  if (blaming) {
    write_text("[load_plugin] ");
    write_text(suspect);
    write_text(": the plugin's code crashed the process\n");
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void left() {
  if (leaving) return;
  write_text("[load_plugin] ");
  write_text(blaming ? suspect : "a plugin or a library");
  write_text(": ended the process by calling exit(); nothing more was done\n");
  ::_exit(3);
}

}  // namespace

Blame::Blame(const std::filesystem::path& plugin) {
  std::strncpy(suspect, plugin.c_str(), sizeof suspect - 1);
  blaming = !plugin.empty();
}

Blame::~Blame() { blaming = false; }

void blame_plugins() {
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL}) std::signal(signal, crashed);
  std::atexit(left);
}

void leaving_now() { leaving = true; }

}  // namespace mezo
