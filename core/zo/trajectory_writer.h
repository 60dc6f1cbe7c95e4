#pragma once
// Makes trajectory.mezo grow while a run goes on. Steps wait in memory until a block of them is
// written in one go and synced, so a kill costs at most the steps since the last flush and leaves
// whole records or a tail that the reader cuts off. Blocks end at multiples of `flush_every`: what
// an interruption wrote earlier is taken into the next whole block, so that a resumed run ends with
// the same bytes as one that was never disturbed.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/io/file_descriptor.h"
#include "core/zo/trajectory.h"

namespace mezo {

class MEZO_API TrajectoryWriter {
 public:
  // A new file with this header and no steps, in place of an older one. Throws RunError with the
  // path and the system's reason, as do the others.
  static TrajectoryWriter create(const std::filesystem::path& path, const TrajectoryHeader& header,
                                 std::uint32_t flush_every);

  // Goes on after the last step of a file that read_trajectory() read. A torn tail is cut off now;
  // a last block that is not whole, and the end record, are replaced by the next record.
  TrajectoryWriter(std::filesystem::path path, const Trajectory& past, std::uint32_t flush_every);

  // Steps from here on are another configuration's. Only before the first add(); keeps the past as
  // it stands.
  void segment(const Segment& segment);

  // The scalars of the next step. They are safe after the next flush().
  void add(std::span<const float> scalars);
  bool due() const { return !waiting_.empty() && steps_ % flush_every_ == 0; }

  // Writes what waits as a block and returns when it is on the disk. When that fails the file is
  // put back as it was, so far as the disk allows.
  void flush();

  // Flushes, then states what the weights have become (EndRecord::sha256).
  void end(const std::string& sha256);

 private:
  TrajectoryWriter(std::filesystem::path path, std::uint32_t flush_every);
  void write(const std::string& record);
  [[noreturn]] void fail(const char* what, int error) const;

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint32_t flush_every_;
  std::uint32_t version_;                    // of the file's format
  std::uint32_t steps_ = 0;                  // with those that wait
  std::vector<std::vector<float>> waiting_;  // [step][scalar]
  RecordPlace next_;                         // where the next record goes
  std::string replaced_;  // the whole record that lies there until the next one is written
  RecordPlace end_;       // of the file as it was read, for a segment
  std::int64_t size_ = 0;
};

}  // namespace mezo
