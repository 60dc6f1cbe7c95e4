#include "core/io/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/io/file_descriptor.h"

namespace mezo {

namespace {

std::string reason(int error) { return fmt::format("cannot be read: {}", std::strerror(error)); }

const char* kind_of(mode_t mode) {
  return S_ISFIFO(mode) ? "pipe" : S_ISSOCK(mode) ? "socket" : "device";
}

// An open regular file, or "" and why not. O_NONBLOCK keeps a pipe without a writer from hanging
// the open; regular files ignore it.
FileDescriptor open_regular(const std::filesystem::path& path, struct stat& status,
                            std::string& problem) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file || ::fstat(file.get(), &status) != 0)
    problem = reason(errno);
  else if (S_ISDIR(status.st_mode))
    problem = "is a folder";
  else if (!S_ISREG(status.st_mode))
    problem = fmt::format("is a {}, and no regular file", kind_of(status.st_mode));
  return file;
}

}  // namespace

bool read_file(const std::filesystem::path& path, std::int64_t most, std::string& bytes,
               std::string& problem) {
  struct stat status {};
  problem.clear();
  const FileDescriptor file = open_regular(path, status, problem);
  const auto too_long = [&](std::int64_t size) {
    problem = fmt::format("has {} bytes or more, and at most {} are read", size, most);
  };
  if (problem.empty() && status.st_size > most) too_long(status.st_size);
  if (!problem.empty()) return false;
  bytes.clear();
  bytes.reserve(static_cast<std::size_t>(status.st_size));
  char part[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) problem = reason(errno);
    if (got <= 0) return problem.empty();
    bytes.append(part, static_cast<std::size_t>(got));
    // It may grow, and some files of the system say that they have no bytes.
    if (static_cast<std::int64_t>(bytes.size()) > most) {
      too_long(static_cast<std::int64_t>(bytes.size()));
      return false;
    }
  }
}

bool is_there(const std::filesystem::path& path) {
  std::error_code none;
  return std::filesystem::exists(std::filesystem::symlink_status(path, none));
}

std::string unreadable(const std::filesystem::path& path) {
  struct stat status {};
  std::string problem;
  open_regular(path, status, problem);
  return problem;
}

}  // namespace mezo
