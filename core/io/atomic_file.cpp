#include "core/io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace mezo {
namespace {

// A plain file name has no parent, but its folder must be opened all the same.
std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  static std::atomic<unsigned> counter{0};
  do {  // EEXIST: left by a killed process that had our number
    temporary_ = folder_of(target_) /
                 fmt::format(".{}.{}-{}.tmp", target_.filename().string(), ::getpid(), counter++);
    file_ =
        FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  } while (!file_ && errno == EEXIST);
  if (!file_) {
    temporary_.clear();
    fail("create a file beside it");
  }
  // A file that is replaced keeps its permissions.
  struct stat old {};
  if (::stat(target_.c_str(), &old) == 0 && S_ISREG(old.st_mode) &&
      ::fchmod(file_.get(), old.st_mode & 07777) != 0) {
    fail("set the permissions");
  }
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

// A constructor that throws runs no destructor: so the temporary goes here.
void AtomicFile::fail(const char* what) {
  const int error = errno;
  if (!temporary_.empty()) ::unlink(std::exchange(temporary_, {}).c_str());
  throw RunError(fmt::format("{}: cannot {}: {}", target_.string(), what, std::strerror(error)));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::commit() {
  if (::fsync(file_.get()) != 0) fail("sync");
  if (!file_.close()) fail("close");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename a new file to it");
  temporary_.clear();
  FileDescriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system that cannot sync folders, which then needs none.
  if (!folder || (::fsync(folder.get()) != 0 && errno != EINVAL)) {
    fail("sync its folder (the file is written, but a power cut may undo it)");
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace mezo
