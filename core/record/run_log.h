#pragma once
// What metrics.jsonl and timing.jsonl hold when a run goes on from some step: lines of later steps
// are cut off, since those steps will be taken again, and what the run needs of the rest is read.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace mezo {

// What a line about a step shows of it.
struct LoggedStep {
  std::uint32_t step = 0;
  double loss = 0;      // NaN where it was not finite
  bool applied = true;  // false: the weights stayed as they were
  bool moved = true;    // false: all projected gradients were exactly 0
};

// The scores of dev after a step.
struct LoggedDev {
  std::uint32_t step = 0;
  nlohmann::ordered_json scores;
};

// The line that says that a run has diverged.
struct LoggedDivergence {
  std::uint32_t step = 0, last_good = 0;
  std::string reason;
};

struct RunLog {
  nlohmann::ordered_json before;  // scores before training, null where there are none
  bool dev = false;               // dev was evaluated at the last step that is kept
  double training_seconds = 0;    // up to the last line that is kept
  bool found = false;             // there is a line
  std::vector<LoggedStep> steps;
  std::vector<LoggedDev> devs;
  std::optional<LoggedDivergence> diverged;  // the latest
};

// Reads both files of a run folder; missing ones count as empty. Changes nothing. Throws RunError
// with file:line for a whole line that is not one of a log.
RunLog read_log(const std::string& folder, std::uint32_t steps);

// Removes from both files what follows step `steps`.
void cut_log(const std::string& folder, std::uint32_t steps);

}  // namespace mezo
