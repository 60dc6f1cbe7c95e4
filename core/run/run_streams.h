#pragma once
// The perturbed copies of a run's weights that its next step reads, so that they can be looked at
// without training. Used by `mezo serve`.

#include <cstdint>
#include <vector>

#include "core/run/replay.h"
#include "core/zo/exact_weights.h"

namespace mezo {

struct RunStreams {
  std::uint32_t step = 0;       // after which the weights stand, and which comes next: from 0
  std::vector<Stream> streams;  // of all its forwards; theta itself, which a one-sided step reads
                                // too, is left out
  std::vector<bool> trained;    // with `options`: what ExactWeights is made from
  ExactOptions options;
};

// Throws ConfigError for a recorded configuration that this mezo cannot read.
RunStreams streams_of(const ReplayedRun& run);

}  // namespace mezo
