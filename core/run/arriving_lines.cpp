#include "core/run/arriving_lines.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/console/interrupt.h"
#include "core/error.h"

namespace mezo {

namespace {

constexpr std::size_t longest_line = std::size_t{1} << 26;
constexpr int milliseconds = 200;  // between two looks at whether a signal came

// Whether a read would not have to wait.
bool ready(bool wait) {
  while (!Interrupt::stop()) {
    pollfd in = {STDIN_FILENO, POLLIN, 0};
    const int found = ::poll(&in, 1, wait ? milliseconds : 0);
    if (found > 0) return true;
    if (found < 0 && errno != EINTR)
      throw DataError(std::string("stdin: reading failed: ") + std::strerror(errno));
    if (!wait) return false;
  }
  return false;
}

}  // namespace

// Takes what has come. False: nothing.
bool ArrivingLines::fill(bool wait) {
  std::array<char, 1 << 16> some;
  while (ready(wait)) {
    const ssize_t bytes = ::read(STDIN_FILENO, some.data(), some.size());
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (bytes < 0) throw DataError(std::string("stdin: reading failed: ") + std::strerror(errno));
    ended_ = bytes == 0;
    come_.append(some.data(), static_cast<std::size_t>(bytes));
    return !ended_;
  }
  return false;
}

std::optional<std::string> ArrivingLines::next(bool wait) {
  std::size_t end = 0;
  while ((end = come_.find('\n', searched_)) == std::string::npos) {
    searched_ = come_.size();
    if (come_.size() > longest_line)
      throw DataError("stdin: a line has more than " + std::to_string(longest_line) + " bytes");
    if (!ended_ && fill(wait)) continue;
    if (!ended_ || come_.empty()) return std::nullopt;
    searched_ = 0;
    return std::exchange(come_, {});
  }
  std::string line = come_.substr(0, end);
  come_.erase(0, end + 1);
  searched_ = 0;
  return line;
}

}  // namespace mezo
