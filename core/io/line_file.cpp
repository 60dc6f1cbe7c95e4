#include "core/io/line_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace mezo {
namespace {

// The offset just after the last newline before `size`, 0 when there is none; -1 with errno when
// reading fails.
int64_t end_of_last_line(int fd, int64_t size) {
  char buffer[4096];
  while (size > 0) {
    const int64_t begin = std::max<int64_t>(0, size - static_cast<int64_t>(sizeof buffer));
    const ssize_t got = ::pread(fd, buffer, static_cast<size_t>(size - begin), begin);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    const std::string_view chunk(buffer, static_cast<size_t>(got));
    if (const size_t newline = chunk.rfind('\n'); newline != std::string_view::npos) {
      return begin + static_cast<int64_t>(newline) + 1;
    }
    size = begin;
  }
  return 0;
}

}  // namespace

LineFile::LineFile(std::filesystem::path path) : path_(std::move(path)) {
  file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (!file_) fail("open");
  const int64_t before = size();
  const int64_t whole = end_of_last_line(file_.get(), before);
  if (whole < 0) fail("read");
  torn_ = before - whole;
  if (torn_ != 0 && ::ftruncate(file_.get(), whole) != 0) fail("cut off the torn last line");
}

int64_t LineFile::size() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail("stat");
  return status.st_size;
}

void LineFile::fail(const char* what) const {
  throw RunError(fmt::format("{}: cannot {}: {}", path_.string(), what, std::strerror(errno)));
}

void LineFile::append(std::string_view line) {
  if (line.find('\n') != std::string_view::npos) {
    throw RunError(fmt::format("{}: expected one line to append, got several", path_.string()));
  }
  const std::string whole = std::string(line) + '\n';
  const int64_t before = size();
  ssize_t written;
  do {
    written = ::write(file_.get(), whole.data(), whole.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(whole.size())) return;
  if (written < 0) fail("append");
  // Part of a line: the disk filled up in the middle.
  const bool removed = ::ftruncate(file_.get(), before) == 0;
  throw RunError(fmt::format(
      "{}: cannot append: only {} of {} bytes were written (is the disk full?){}", path_.string(),
      written, whole.size(), removed ? "" : "; the part that was written could not be removed"));
}

void LineFile::sync() {
  if (::fsync(file_.get()) != 0) fail("sync");
}

}  // namespace mezo
