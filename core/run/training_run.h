#pragma once
// The part of `mezo run` that trains: measure, train while watching, measure again, report.

#include <optional>

#include "core/checkpoint/load_model.h"
#include "core/run/datasets.h"
#include "core/run/result.h"
#include "core/run/resume.h"
#include "core/run/run_config.h"
#include "core/run/run_folder.h"

namespace mezo {

// Everything that a training run has read and checked.
struct RunParts {
  const RunConfig& config;
  RunFolder& folder;
  const Datasets& data;
  LoadedModel& model;
  const WeightHashes& hashes;
};

// From the start, or from where the resumed run was. False if a signal ended it early.
bool train_and_report(const RunParts& parts, const TrajectoryHeader& origin,
                      const std::optional<Resumption>& resumption);

}  // namespace mezo
