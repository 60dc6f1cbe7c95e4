#include "core/zo/trajectory_writer.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/zo/trajectory_format.h"

namespace mezo {

namespace format = trajectory_format;

namespace {

// False with errno when not all of it could be written.
bool write_at(int fd, std::string_view bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return true;
}

}  // namespace

TrajectoryWriter::TrajectoryWriter(std::filesystem::path path, std::uint32_t flush_every)
    : path_(std::move(path)), flush_every_(flush_every), version_(format::version) {
  if (flush_every < 1 || flush_every > format::most_count)
    throw std::logic_error("[trajectory] flush_every must be from 1 to 65535");
  file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!file_) fail("open", errno);
}

TrajectoryWriter TrajectoryWriter::create(const std::filesystem::path& path,
                                          const TrajectoryHeader& header,
                                          std::uint32_t flush_every) {
  const std::string bytes = format::header(header);
  write_file_atomically(path, bytes);
  TrajectoryWriter writer(path, flush_every);
  writer.size_ = static_cast<std::int64_t>(bytes.size());
  const auto crc = format::number_at<std::uint32_t>(bytes, bytes.size() - format::check_bytes);
  writer.next_ = writer.end_ = {writer.size_, crc};
  return writer;
}

TrajectoryWriter::TrajectoryWriter(std::filesystem::path path, const Trajectory& past,
                                   std::uint32_t flush_every)
    : TrajectoryWriter(std::move(path), flush_every) {
  version_ = past.version;
  steps_ = past.steps();
  next_ = end_ = past.next;
  size_ = past.next.offset;
  if (past.torn > 0 && ::ftruncate(file_.get(), size_) != 0) fail("cut off the torn end", errno);
  if (past.last_end) next_ = *past.last_end;
  if (!past.last_block || steps_ % flush_every_ == 0) return;
  next_ = past.last_block->place;
  replaced_.resize(static_cast<std::size_t>(past.last_block->bytes));
  const ssize_t got = ::pread(file_.get(), replaced_.data(), replaced_.size(), next_.offset);
  if (got != static_cast<ssize_t>(replaced_.size())) fail("read the last block", errno);
  waiting_.assign(past.scalars.begin() + past.last_block->first_step, past.scalars.end());
}

void TrajectoryWriter::segment(const Segment& segment) {
  if (segment.first_step != steps_) throw std::logic_error("[trajectory] a segment begins here");
  waiting_.clear();
  replaced_.clear();
  next_ = end_;
  std::uint32_t crc = next_.crc;
  const std::string record = format::segment(segment, version_, crc);
  write(record);
  next_.crc = crc;
}

void TrajectoryWriter::add(std::span<const float> scalars) {
  waiting_.emplace_back(scalars.begin(), scalars.end());
  ++steps_;
}

void TrajectoryWriter::flush() {
  if (waiting_.empty()) return;
  std::uint32_t crc = next_.crc;
  write(format::block(waiting_, crc));
  next_.crc = crc;
  waiting_.clear();
}

void TrajectoryWriter::end(const std::string& sha256) {
  flush();
  std::uint32_t crc = next_.crc;
  write(format::end({steps_, sha256}, crc));
  next_.crc = crc;
}

// One write, so that a kill leaves the whole record or a beginning of it. Where it replaces a
// shorter block, that block stays readable until then.
void TrajectoryWriter::write(const std::string& record) {
  const std::int64_t kept = next_.offset + static_cast<std::int64_t>(replaced_.size());
  if (size_ > kept && ::ftruncate(file_.get(), kept) != 0) fail("cut off the old end", errno);
  size_ = kept;
  if (!write_at(file_.get(), record, next_.offset)) {
    const int error = errno;
    if (!write_at(file_.get(), replaced_, next_.offset) || ::ftruncate(file_.get(), kept) != 0)
      fail("write, nor put back what was there", error);
    fail("write", error);
  }
  if (::fsync(file_.get()) != 0) fail("sync", errno);
  next_.offset += static_cast<std::int64_t>(record.size());
  size_ = std::max(size_, next_.offset);
  replaced_.clear();
}

void TrajectoryWriter::fail(const char* what, int error) const {
  throw RunError(
      fmt::format("[trajectory] {}: cannot {}: {}; the steps up to {} are in it, and "
                  "--resume goes on from there",
                  path_.string(), what, std::strerror(error),
                  steps_ - static_cast<std::uint32_t>(waiting_.size())));
}

}  // namespace mezo
