#pragma once
// What a run starts from: the base model's tensors, the data and task files, the configuration and
// the machine, as a trajectory's header states them; and whether what is here now is the same.

#include <string>
#include <vector>

#include "core/checkpoint/load_model.h"
#include "core/settings/run_config.h"
#include "core/zo/trajectory.h"

namespace mezo {

// `yaml`: the resolved configuration; `scalars`: of a step, as the estimator has them. The weights
// must be the base's; reads all of them and the data files.
TrajectoryHeader provenance_of(const RunConfig& config, const std::string& yaml,
                               std::size_t scalars, const LoadedModel& model);

// Throws ModelError naming the first tensor, by name, that is not the one of `then`.
MEZO_API void require_same_base(const TrajectoryHeader& then, const ParameterStore& store);
void require_same_base(const TrajectoryHeader& then, const TrajectoryHeader& now);

// Throws DataError naming a file that both have and that is not the same.
void require_same_files(const TrajectoryHeader& then, const TrajectoryHeader& now,
                        const RunConfig& config);

// Which of the store's parameters the run trains. The base must be the same.
std::vector<bool> trained_of(const TrajectoryHeader& header, const ParameterStore& store);

}  // namespace mezo
