#include "core/console/console.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/config/display.h"

namespace mezo {

namespace {

// 0, or errno where not all of it could be written.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// One write a line: lines of processes that share a terminal do not mix.
std::string ended(std::string_view before, std::string_view line) {
  return std::string(before).append(printable(line)) + "\n";
}

}  // namespace

Console::~Console() = default;

void Console::result(std::string_view line) { out(ended("", line)); }
void Console::say(std::string_view line) { err(ended("", line)); }
void Console::note(std::string_view line) { err(ended("note: ", line)); }
void Console::warning(std::string_view line) { err(ended("warning: ", line)); }

StandardConsole::StandardConsole() {
  std::signal(SIGPIPE, SIG_IGN);
  for (int fd = 0; fd <= 2; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      if (fd == 1) lost_ = EBADF;
      [[maybe_unused]] const int nowhere = ::open("/dev/null", O_RDWR);  // the lowest free number
    }
}

void StandardConsole::out(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0 && lost_ == 0) lost_ = error;
}

void StandardConsole::err(std::string_view text) { write_all(STDERR_FILENO, text); }

bool StandardConsole::terminal() const { return ::isatty(STDERR_FILENO) == 1; }

std::size_t StandardConsole::width() const {
  winsize size = {};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col : 80;
}

}  // namespace mezo
