#pragma once
// What a run's settings left open, as its model and machine resolve it; and the whole run as YAML
// with nothing left open, which repeats it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/settings/run_config.h"
#include "core/zo/estimators.h"

namespace mezo {

// What `auto` of the model's settings and of task.bos stood for, in their spelling.
struct ResolvedModel {
  std::string type, dtype, device, storage, bos;
};

double learning_rate_of(const RunConfig& config);

// `shared_matrices`: no matrix of the model trains under the run's mode.
EstimatorContext estimator_context(const RunConfig& config, bool shared_matrices);
std::unique_ptr<Estimator> make_estimator(const OptimizerSettings& settings,
                                          const EstimatorContext& context);

// Of the run's steps; of a recorded one, whose learning rate is a number.
Schedule schedule_of(const OptimizerSettings& optimizer, const TrainerSettings& trainer,
                     double learning_rate);

// The whole run as YAML with every default written out, `auto` replaced by what it stood for, paths
// made absolute, and every plugin named that does not lie where they are looked for anyway. Running
// it again repeats the run. `hashes` are lines for its head, one for each file of weights.
std::string resolved_yaml(const RunConfig& config, const ResolvedModel& model,
                          const EstimatorContext& context, const std::vector<std::string>& hashes);

}  // namespace mezo
