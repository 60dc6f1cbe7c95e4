#include "core/io/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/io/file_descriptor.h"
#include "core/io/shrunk_file.h"

namespace mezo {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  throw ModelError(fmt::format("{}: cannot {}: {}", path, what, std::strerror(error)));
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path.string()) {
  // O_NONBLOCK keeps a named pipe from hanging the open; regular files ignore it.
  FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) fail(path_, "open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path_, "stat", errno);
  if (S_ISDIR(status.st_mode)) fail(path_, "read", EISDIR);
  if (!S_ISREG(status.st_mode)) {
    throw ModelError(fmt::format("{}: expected a regular file, got a device or pipe", path_));
  }
  if (status.st_size == 0) throw ModelError(fmt::format("{}: the file is empty", path_));
  const auto size = static_cast<size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail(path_, "map", errno);
  bytes_ = {static_cast<const std::byte*>(address), size};
  mapped_ = true;
  remember_mapped(bytes_, path_.c_str());
}

MappedFile::MappedFile(std::string name, std::vector<std::byte> bytes)
    : path_(std::move(name)), owned_(std::move(bytes)), bytes_(owned_) {}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      owned_(std::move(other.owned_)),
      bytes_(std::exchange(other.bytes_, {})),
      mapped_(std::exchange(other.mapped_, false)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(owned_, other.owned_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!mapped_) return;
  forget_mapped(bytes_);
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::expect(std::span<const std::byte> part) const {
  if (!mapped_) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t first = begin / page * page;
  ::madvise(reinterpret_cast<void*>(first), begin + part.size() - first, MADV_WILLNEED);
}

void MappedFile::release(std::span<const std::byte> part) const {
  if (!mapped_) return;
  // Whole pages: those at the ends may hold what somebody else still reads.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + part.size()) / page * page;
  // Advice: where it is not taken, memory is all that is lost.
  if (first < end) ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

}  // namespace mezo
