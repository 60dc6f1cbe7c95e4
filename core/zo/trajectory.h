#pragma once
// The trajectory is the checkpoint: what a run started from and the scalars of every step since,
// those numbers that its estimator kept (core/zo/estimator.h; SPSA's are its projected gradients).
// With the base weights it gives the weights of any step, bit for bit (core/run/replay.h), in a
// file of four bytes a scalar and step. Bytes and rules: docs/trajectory.md. Here is what the file
// says and how it is read; trajectory_writer.h makes it grow. No torch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

// A tensor of the base model as it is stored before the first step.
struct BaseTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string storage;  // "float32"
  bool trained = false;
  std::string sha256;  // of its stored bytes
};

// From `first_step` (counted from 0) on, steps are taken by this configuration.
struct Segment {
  std::uint32_t first_step = 0;
  std::uint32_t scalars = 1;                   // of each step
  std::string config;                          // a whole run, resolved, as YAML
  std::map<std::string, std::string> machine;  // what the bits of later gradients depend on
};

struct TrajectoryHeader {
  std::vector<BaseTensor> tensors;           // sorted by name
  std::map<std::string, std::string> files;  // "task.train": sha256; data and task files
  Segment first;
};

// The weights after `step` steps, where a training came to an end.
struct EndRecord {
  std::uint32_t step = 0;
  std::string sha256;  // core/checkpoint/weights_hash.h
};

// Where a record starts, and the running check of everything before it.
struct RecordPlace {
  std::int64_t offset = 0;
  std::uint32_t crc = 0;
};

struct Trajectory {
  std::uint32_t version = 0;  // of the file's format
  TrajectoryHeader header;
  std::vector<Segment> segments;            // the header's, then one for each change
  std::vector<std::vector<float>> scalars;  // [step][scalar], as they were observed
  std::vector<EndRecord> ends;              // in the order of the file

  std::int64_t torn = 0;  // bytes at the end that are no whole record

  // For the writer: where the next record goes, and, unless a segment came after them, the last
  // block of steps and the last end record.
  struct Block {
    RecordPlace place;
    std::uint32_t first_step = 0;
    std::int64_t bytes = 0;
  };
  RecordPlace next;
  std::optional<Block> last_block;
  std::optional<RecordPlace> last_end;

  std::uint32_t steps() const { return static_cast<std::uint32_t>(scalars.size()); }
  MEZO_API const Segment& segment_of(std::uint32_t step) const;  // of a step counted from 0
  MEZO_API const EndRecord* end_at(
      std::uint32_t steps) const;  // nullptr: training did not end there
  const Segment& latest() const { return segments.back(); }
};

// Reads a whole file. What a kill or a power cut tore off at the end is left out and counted in
// `torn`; anything else that is not as it was written throws RunError with the record and its
// place, and so do a file of a newer format and one that is no trajectory.
MEZO_API Trajectory read_trajectory(const std::filesystem::path& path);

}  // namespace mezo
