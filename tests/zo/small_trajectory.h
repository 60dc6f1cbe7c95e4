#pragma once
// A trajectory of a few steps, as a run would write it, killed or not. Used by the tests of the
// format.

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/zo/trajectory.h"
#include "core/zo/trajectory_writer.h"
#include "tests/io/golden_files.h"
#include "tests/scratch_folder.h"

namespace mezo {

inline TrajectoryHeader small_header(std::uint32_t scalars = 2) {
  TrajectoryHeader header;
  header.tensors = {{"a.weight", {3, 5}, "float32", true, std::string(64, '1')},
                    {"b.weight", {7}, "float32", false, std::string(64, '2')}};
  header.files = {{"task.train", std::string(64, '3')}};
  header.first = {0, scalars, "trainer:\n  steps: 8\n", {{"threads", "2"}}};
  return header;
}

// The scalars of a step; some are not finite.
inline std::vector<float> small_scalars(std::uint32_t step, std::uint32_t scalars = 2) {
  std::vector<float> values;
  for (std::uint32_t p = 0; p < scalars; ++p)
    values.push_back(step == 4 ? std::numeric_limits<float>::quiet_NaN()
                               : 0.1f * static_cast<float>(step) - static_cast<float>(p));
  return values;
}

inline const std::string small_hash(64, 'e');

// Adds the steps up to `steps`, flushing as a run does.
inline void go_on(TrajectoryWriter& writer, std::uint32_t from, std::uint32_t steps,
                  std::uint32_t scalars = 2) {
  for (std::uint32_t step = from; step < steps; ++step) {
    writer.add(small_scalars(step, scalars));
    if (writer.due()) writer.flush();
  }
}

// A whole run of 8 steps that flushes every 3.
inline void write_small(const std::filesystem::path& path) {
  TrajectoryWriter writer = TrajectoryWriter::create(path, small_header(), 3);
  go_on(writer, 0, 8);
  writer.end(small_hash);
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), 4 * a.size()) == 0;
}

}  // namespace mezo
