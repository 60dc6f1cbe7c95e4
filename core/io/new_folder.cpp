#include "core/io/new_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/io/file_descriptor.h"

namespace mezo {
namespace {

namespace fs = std::filesystem;

// Absolute, without "..", a final slash or a link at its end: a folder is not renamed to a link.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(fs::absolute(path), error);
  if (error)
    throw RunError(fmt::format("{}: cannot look at it: {}", path.string(), error.message()));
  return real.has_filename() ? real : real.parent_path();
}

void refuse_what_is_there(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status))
    throw RunError(
        fmt::format("{}: expected a new folder, got a file of this name", path.string()));
  const bool empty = fs::is_empty(path, error);
  if (error)
    throw RunError(fmt::format("{}: cannot look into it: {}", path.string(), error.message()));
  if (!empty)
    throw RunError(
        fmt::format("{}: expected a new folder, got one with files in it; nothing of it "
                    "is replaced: give another path or remove it",
                    path.string()));
}

// Makes the names in a folder last. EINVAL: a file system that cannot sync folders, which then
// needs none.
bool sync_folder(const fs::path& path) {
  const FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && (::fsync(folder.get()) == 0 || errno == EINVAL);
}

}  // namespace

NewFolder::NewFolder(const fs::path& target) : target_(resolved(target)) {
  refuse_what_is_there(target_);
  make_parents();
  remove_leftovers();
  make_temporary();
}

NewFolder::~NewFolder() { remove(); }

void NewFolder::make_parents() {
  std::vector<fs::path> missing;
  std::error_code ignored;
  for (fs::path at = target_.parent_path(); !fs::exists(at, ignored); at = at.parent_path())
    missing.push_back(at);
  std::ranges::reverse(missing);
  for (const fs::path& folder : missing) {
    if (::mkdir(folder.c_str(), 0777) != 0) fail("make the folder above it", errno);
    made_.push_back(folder);
  }
}

// .NAME.PID-N.tmp of a process that is no more, which was killed.
void NewFolder::remove_leftovers() const {
  const std::string before = fmt::format(".{}.", target_.filename().string());
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(target_.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    long pid = 0, number = 0;
    char end = 0;
    if (!name.starts_with(before) ||
        std::sscanf(name.c_str() + before.size(), "%ld-%ld.tm%c", &pid, &number, &end) != 3 ||
        end != 'p' || pid <= 0)
      continue;
    if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH)
      fs::remove_all(entry.path(), ignored);
  }
}

void NewFolder::make_temporary() {
  static std::atomic<unsigned> counter{0};
  do {  // EEXIST: left by a killed process that had our number
    temporary_ = target_.parent_path() /
                 fmt::format(".{}.{}-{}.tmp", target_.filename().string(), ::getpid(), counter++);
    if (::mkdir(temporary_.c_str(), 0777) == 0) return;
  } while (errno == EEXIST);
  const int error = errno;
  temporary_.clear();
  fail("make a folder beside it", error);
}

void NewFolder::commit() {
  if (!sync_folder(temporary_)) fail("sync", errno);
  // Over an empty folder too, but never over one that has been filled meanwhile.
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("rename a new folder to it", errno);
  temporary_.clear();
  made_.clear();
  if (!sync_folder(target_.parent_path()))
    fail("sync its folder (it is written, but a power cut may undo it)", errno);
}

void NewFolder::remove() noexcept {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(std::exchange(temporary_, {}), ignored);
  for (; !made_.empty(); made_.pop_back()) ::rmdir(made_.back().c_str());
}

// A constructor that throws runs no destructor: so what was made goes here.
void NewFolder::fail(const char* what, int error) {
  remove();
  throw RunError(fmt::format("{}: cannot {}: {}", target_.string(), what, std::strerror(error)));
}

}  // namespace mezo
