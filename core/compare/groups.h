#pragma once
// Cells that differ by nothing but seeds, as one line of numbers.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/compare/cell.h"

namespace mezo {

// Of several numbers; the standard error is that of their mean, by the deviation of a sample.
struct Mean {
  std::size_t count = 0;
  double mean = 0;
  std::optional<double> standard_error = {};  // of two and more
};
Mean mean_of(const std::vector<double>& numbers);

struct Group {
  std::vector<std::size_t> at;     // of each axis; of one of seeds: 0
  std::vector<const Cell*> cells;  // all of them
  std::vector<const Cell*> runs;   // the runs that they take their numbers from, each once
  std::string metric;
  std::size_t done = 0, failed = 0;                  // of the runs
  Mean before = {}, after = {};                      // of the metric
  double seconds = 0;                                // the mean, of training
  std::int64_t peak_memory_bytes = 0;                // the most
  std::optional<std::uint64_t> forward_passes = {};  // the mean; nothing where a run did not count
};

// In the order of the cells. `metric`: "" for each task's own.
std::vector<Group> groups_of(const Comparison& comparison, const std::string& metric);

// The costs of a list of runs that are done, by the same rules.
struct Costs {
  double seconds = 0;
  std::int64_t peak_memory_bytes = 0;
  std::optional<std::uint64_t> forward_passes;
};
Costs costs_of(const std::vector<const Cell*>& runs);

}  // namespace mezo
