#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>

#include "core/error.h"

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t longest_line = 4096;
constexpr double seconds_to_end = 2;

struct Pipe {
  int read = -1, write = -1;
};

// Closed in every program that is started, but for what it is given.
Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw mezo::RunError(std::string("[objective command] no pipe: ") + std::strerror(errno));
  return {ends[0], ends[1]};
}

// The files of the run are not the program's: a lock would outlive a run that was killed.
int start(const std::vector<std::string>& words, int in, int out, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t usual;  // the host ignores SIGPIPE, which no program expects
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int error =
      ::posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view space = " \t\r";
  const std::size_t first = line.find_first_not_of(space);
  if (first == line.npos) return "";
  return line.substr(first, line.find_last_not_of(space) - first + 1);
}

std::optional<double> number_in(std::string_view line) {
  std::string_view text = trimmed(line);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", seconds);
  return text;
}

// What a program said, fit for a terminal.
std::string shown(std::string_view line) {
  constexpr std::size_t most = 80;
  std::string text = "\"";
  for (const char c : line.substr(0, most)) text += c < ' ' || c == 127 ? '?' : c;
  return text + (line.size() > most ? "…\"" : "\"");
}

}  // namespace

// Lines to write and the numbers that came back.
struct Program::Exchange {
  std::string to_write;
  std::size_t written = 0, wanted = 0;
  std::vector<double> numbers;
  Clock::time_point heard = Clock::now();  // when a number last came
};

Program::Program(std::vector<std::string> words) : words_(std::move(words)) {
  const Pipe to = make_pipe(), from = make_pipe();
  in_ = to.write;
  out_ = from.read;
  const int error = start(words_, to.read, from.write, pid_);
  ::close(to.read);
  ::close(from.write);
  if (error != 0) {
    pid_ = -1;
    ::close(in_);
    ::close(out_);
    fail(std::string("cannot be started: ") + std::strerror(error) +
         "; objective.command is a list of words that no shell reads");
  }
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
  ::fcntl(out_, F_SETFL, O_NONBLOCK);
}

Program::~Program() {
  ::close(in_);
  ::close(out_);
  if (pid_ < 0 || wait_for_end(seconds_to_end)) return;
  ::kill(-pid_, SIGTERM);
  if (wait_for_end(seconds_to_end)) return;
  ::kill(-pid_, SIGKILL);
  wait_for_end(seconds_to_end);
}

void Program::fail(const std::string& what) const {
  std::string command;
  for (const std::string& word : words_) command += (command.empty() ? "" : " ") + word;
  throw mezo::RunError("[objective command] " + command + ": " + what);
}

// Whether it has ended within so many seconds.
bool Program::wait_for_end(double seconds) {
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  while (true) {
    const pid_t got = ::waitpid(pid_, &status_, WNOHANG);
    if (got == pid_ || (got < 0 && errno != EINTR)) {
      pid_ = -1;
      return true;
    }
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

// Its stdout is closed, so it has ended or is about to.
std::string Program::end_text() {
  if (pid_ >= 0 && !wait_for_end(seconds_to_end)) return "closed its stdout and goes on";
  if (WIFSIGNALED(status_)) return "was ended by signal " + std::to_string(WTERMSIG(status_));
  return "ended with exit status " + std::to_string(WEXITSTATUS(status_));
}

void Program::fail_at_end(const Exchange& exchange) {
  const std::string end = end_text();
  const std::string said = read_.empty() ? "" : ", after " + shown(read_) + " without a line's end";
  if (exchange.wanted == 0) fail("it " + end + said + " between two batches of texts");
  fail("it " + end + said + "; of " + std::to_string(exchange.wanted) + " texts of this step " +
       std::to_string(exchange.numbers.size()) + " have a number (" + std::to_string(answered_) +
       " lines of all)");
}

void Program::write_some(Exchange& exchange) {
  const ssize_t n = ::write(in_, exchange.to_write.data() + exchange.written,
                            exchange.to_write.size() - exchange.written);
  if (n >= 0) {
    exchange.written += static_cast<std::size_t>(n);
  } else if (errno == EPIPE) {
    exchange.written = exchange.to_write.size();  // what it said before it ended is still read
  } else if (errno != EAGAIN && errno != EINTR) {
    fail(std::string("cannot be written to: ") + std::strerror(errno));
  }
}

void Program::read_some(Exchange& exchange) {
  char buffer[65536];
  const ssize_t n = ::read(out_, buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) fail(std::string("cannot be read from: ") + std::strerror(errno));
  if (n == 0) fail_at_end(exchange);
  read_.append(buffer, static_cast<std::size_t>(n));
  take_lines(exchange);
}

void Program::take_lines(Exchange& exchange) {
  std::size_t begin = 0;
  for (std::size_t end; (end = read_.find('\n', begin)) != read_.npos; begin = end + 1) {
    const std::string_view line = std::string_view(read_).substr(begin, end - begin);
    ++answered_;
    const std::string place =
        "line " + std::to_string(answered_) + " of its stdout, " + shown(line);
    if (exchange.numbers.size() == exchange.wanted)
      fail(place + ", is more than one line for each text");
    const std::optional<double> number = number_in(line);
    if (!number) fail(place + ", is no finite number");
    exchange.numbers.push_back(*number);
    exchange.heard = Clock::now();
  }
  read_.erase(0, begin);
  if (read_.size() > longest_line)
    fail("line " + std::to_string(answered_ + 1) + " of its stdout, " + shown(read_) +
         ", is no number");
}

// Lines that nobody asked for would be taken for the next texts' numbers.
void Program::refuse_unasked() {
  Exchange nothing;
  pollfd readable{out_, POLLIN, 0};
  if (::poll(&readable, 1, 0) > 0) read_some(nothing);
}

std::vector<double> Program::answers(const std::vector<std::string>& lines, double patience) {
  refuse_unasked();
  Exchange exchange;
  exchange.wanted = lines.size();
  for (const std::string& line : lines) exchange.to_write += line;
  while (exchange.numbers.size() < exchange.wanted) {
    const double left =
        patience - std::chrono::duration<double>(Clock::now() - exchange.heard).count();
    if (left <= 0)
      fail("it has not answered text " + std::to_string(exchange.numbers.size() + 1) + " of " +
           std::to_string(exchange.wanted) + " of this step within " + seconds_text(patience) +
           " s (objective.timeout): does it flush each line?");
    const bool writes = exchange.written < exchange.to_write.size();
    pollfd ends[2] = {{out_, POLLIN, 0}, {in_, POLLOUT, 0}};
    const int most = static_cast<int>(std::min(left * 1000 + 1, 1e9));
    if (::poll(ends, writes ? 2 : 1, most) < 0 && errno != EINTR)
      fail(std::string("cannot be waited for: ") + std::strerror(errno));
    if (ends[0].revents) read_some(exchange);
    if (writes && ends[1].revents) write_some(exchange);
  }
  return std::move(exchange.numbers);
}
