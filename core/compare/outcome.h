#pragma once
// What a run's result.json says, as a table needs it.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/task/metrics.h"

namespace mezo {

struct Outcome {
  std::string requested, method, task, metric;
  bool interrupted = false;
  std::map<std::string, double> before, after;  // by metric; NaN where it was no number
  std::uint32_t steps = 0;
  double seconds = 0;  // of training
  std::int64_t peak_memory_bytes = 0;
  std::optional<std::uint64_t> forward_passes;  // nothing: a run of an earlier mezo
  nlohmann::ordered_json json;                  // all of it

  std::optional<double> score(const std::string& metric) const;  // after
};

// A metric of `before` or `after` with its standard error, as far as they have it.
std::optional<Estimate> estimate_in(const std::map<std::string, double>& scores,
                                    const std::string& metric);

// Nothing where the folder has no result. Throws RunError for one that cannot be read.
std::optional<Outcome> read_outcome(const std::string& folder);

}  // namespace mezo
