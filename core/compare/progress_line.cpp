#include "core/compare/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/config/display.h"
#include "core/console/progress.h"

namespace mezo {

namespace {

constexpr double seconds_between = 0.5;
constexpr std::int64_t most_looked_at = 4096;  // of the end of a log

std::int64_t size_of(const std::string& file) {
  std::error_code none;
  const auto size = std::filesystem::file_size(file, none);
  return none ? 0 : static_cast<std::int64_t>(size);
}

std::string last_line(const std::string& text) { return text.substr(text.rfind('\n') + 1); }

}  // namespace

ProgressLine::ProgressLine(Console& console, std::string title, std::string log)
    : console_(console), title_(std::move(title)), log_(std::move(log)), begin_(size_of(log_)) {
  if (!console_.terminal()) console_.say(title_ + ": starts");
}

void ProgressLine::erase() {
  if (drawn_) console_.err("\r\x1b[K");
  drawn_ = false;
}

void ProgressLine::show() {
  if (!console_.terminal() || (drawn_ && last_.seconds() < seconds_between)) return;
  last_ = Stopwatch();
  std::string line = printable(
      fmt::format("{}  {}  {}", title_, duration(start_.seconds()), last_line(end_of_log())));
  // Bytes, of which there are no fewer than columns; a character is not cut in two.
  std::size_t end = std::min(line.size(), console_.width() - 1);
  while (end > 0 && end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80)
    --end;
  console_.err("\r" + line.substr(0, end) + "\x1b[K");
  drawn_ = true;
}

std::string ProgressLine::reason() const {
  const std::string text = "\n" + end_of_log();
  const std::size_t error = text.rfind("\n[");
  if (error == text.npos) return last_line(text);
  return text.substr(error + 1, text.find('\n', error + 1) - error - 1);
}

std::string ProgressLine::end_of_log() const {
  const std::int64_t size = size_of(log_), from = std::max(begin_, size - most_looked_at);
  if (from >= size) return "";
  std::ifstream in(log_, std::ios::binary);
  in.seekg(from);
  std::string text(static_cast<std::size_t>(size - from), '\0');
  in.read(text.data(), size - from);
  text.resize(static_cast<std::size_t>(in.gcount()));
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text;
}

}  // namespace mezo
