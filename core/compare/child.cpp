#include "core/compare/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/io/file_descriptor.h"

namespace mezo {

namespace {

constexpr int cannot_start = 127;

// In the child, where only what is safe beside other threads' locks may be called.
[[noreturn]] void become(char* const* argv, pid_t parent, int log, int nothing) {
  ::setpgid(0, 0);  // Ctrl-C at a terminal is for the parent, which passes it on once
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(cannot_start);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv("/proc/self/exe", argv);
  ::_exit(cannot_start);
}

Ended wait_for(pid_t child, const std::function<void()>& meanwhile) {
  Ended ended;
  int passed = 0;
  for (;;) {
    int status = 0;
    const pid_t done = ::waitpid(child, &status, WNOHANG);
    if (done == child) {
      if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
      if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
      return ended;
    }
    if (done < 0 && errno != EINTR)
      throw RunError(std::string("[compare] cannot wait for a cell: ") + std::strerror(errno));
    for (; passed < Interrupt::signals(); ++passed) ::kill(child, SIGINT);
    meanwhile();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

Ended run_child(const std::vector<std::string>& arguments, const std::string& log,
                const std::function<void()>& meanwhile) {
  const FileDescriptor out(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!out || !nothing)
    throw RunError("[compare] cannot write " + log + ": " + std::strerror(errno));
  std::vector<char*> argv{const_cast<char*>("mezo")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(argv.data(), parent, out.get(), nothing.get());
  if (child < 0)
    throw RunError(std::string("[compare] cannot start a cell: ") + std::strerror(errno));
  return wait_for(child, meanwhile);
}

}  // namespace mezo
