#include "core/run/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mezo {

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

std::size_t terminal_width() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// Written with fputs, which does not throw: a log on a full disk must not end a run.
constexpr double redraw_seconds = 0.1, line_seconds = 10;

}  // namespace

std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds + 0.5);
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60) : fmt::format("{}:{:02}", s / 60, s % 60);
}

Progress::Progress(std::string title, std::string unit, long long total)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() { erase(); }

void Progress::erase() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

// What is shown, most important first, so that a narrow terminal loses the end: "training [##..] 3/10 steps  loss 0.61 …  1:05 left".
std::string Progress::draw(long long done, const std::string& details, double seconds) const {
  const double share = total_ > 0 ? static_cast<double>(done) / static_cast<double>(total_) : 1;
  const std::string time = done <= 0        ? ""
                           : done >= total_ ? duration(seconds)
                                            : duration(seconds / static_cast<double>(done) * static_cast<double>(total_ - done)) + " left";
  std::string tail = fmt::format("{}/{} {}s", done, total_, unit_);
  for (const std::string& part : {details, time})
    if (!part.empty()) tail += "  " + part;
  if (!terminal_) return fmt::format("{}: {}", title_, tail);
  const std::size_t width = terminal_width(), used = title_.size() + tail.size() + 5;  // spaces, brackets, and a last column left free
  const std::size_t cells = used + 8 <= width ? std::min<std::size_t>(30, width - used) : 0;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  const std::string bar = cells ? fmt::format("[{}{}] ", std::string(full, '#'), std::string(cells - full, '.')) : "";
  return fmt::format("{} {}{}", title_, bar, tail).substr(0, width - 1);
}

void Progress::show(long long done, const std::string& details) {
  const bool end = done >= total_;
  if (!end && since(last_) < (terminal_ ? redraw_seconds : line_seconds)) return;
  last_ = Clock::now();
  const std::string line = draw(done, details, since(start_));
  if (terminal_) {
    std::fputs(("\r\x1b[K" + line).c_str(), stderr);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    std::fputs((line + "\n").c_str(), stderr);
  }
}

void Progress::note(const std::string& line) {
  erase();
  std::fputs((line + "\n").c_str(), stderr);
}

}  // namespace mezo
