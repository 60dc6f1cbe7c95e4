#include "core/console/progress.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mezo {

namespace {

constexpr std::size_t shortest_bar = 13, longest_bar = 33;  // with brackets and a space
constexpr double redraw_seconds = 0.1, line_seconds = 10;

}  // namespace

std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds + 0.5);
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
                   : fmt::format("{}:{:02}", s / 60, s % 60);
}

Progress::Progress(Console& console, std::string title, std::string unit, long long total,
                   long long before)
    : console_(console),
      title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      before_(before),
      terminal_(console.terminal()),
      last_(start_) {}

Progress::~Progress() { erase(); }

void Progress::erase() {
  if (!drawn_) return;
  console_.err("\r\x1b[K");
  drawn_ = false;
}

// "training [##........] 3/10 steps  loss 0.61  1:05 left". A narrow terminal loses details from
// the last one on, then the bar.
std::string Progress::draw(long long done, const std::vector<std::string>& details,
                           double seconds) const {
  const std::string count = fmt::format("{}/{} {}s", done, total_, unit_);
  const std::string time = done <= before_ ? ""
                           : done >= total_
                               ? "  " + duration(seconds)
                               : "  " +
                                     duration(seconds / static_cast<double>(done - before_) *
                                              static_cast<double>(total_ - done)) +
                                     " left";
  if (!terminal_)
    return fmt::format("{}: {}{}{}{}", title_, count, details.empty() ? "" : "  ",
                       fmt::join(details, "  "), time);
  const std::size_t room =
      console_.width() - 1;  // in the last column some terminals would begin a new line
  const std::size_t fixed = title_.size() + 1 + count.size() + time.size();
  const std::size_t bar = fixed + shortest_bar <= room ? shortest_bar : 0;
  std::string middle;
  for (const std::string& part : details) {
    if (fixed + bar + middle.size() + 2 + part.size() > room) break;
    middle += "  " + part;
  }
  if (bar == 0) return fmt::format("{} {}{}{}", title_, count, middle, time).substr(0, room);
  const std::size_t cells = std::min(longest_bar, room - fixed - middle.size()) - 3;
  const double share = total_ > 0 ? static_cast<double>(done) / static_cast<double>(total_) : 1;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  return fmt::format("{} [{}{}] {}{}{}", title_, std::string(full, '#'),
                     std::string(cells - full, '.'), count, middle, time);
}

void Progress::show(long long done, const std::vector<std::string>& details) {
  const bool end = done >= total_;
  if (!end && last_.seconds() < (terminal_ ? redraw_seconds : line_seconds)) return;
  last_ = {};
  const std::string line = draw(done, details, start_.seconds());
  if (terminal_) {
    console_.err("\r\x1b[K" + line);
    drawn_ = true;
  } else {
    console_.say(line);
  }
}

void Progress::note(const std::string& line) {
  erase();
  console_.say(line);
}

}  // namespace mezo
