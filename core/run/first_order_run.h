#pragma once
// The part of a run that trains by gradients (core/train/first_order.h), to set beside MeZO's
// (training.h): measure, train with whoever listens, measure again. There is no trajectory: what is
// left is an adapter's folder or, where the model's own weights trained, a model's.

#include "core/run/training.h"

namespace mezo {

// Of a run that has no trajectory.
struct BaselineParts {
  const RunConfig& config;
  RunFolder& folder;
  const Datasets& data;
  LoadedModel& model;
  const std::string& config_yaml;  // the resolved run
  Console& console;
};

// Before anything is loaded. Throws ConfigError for what gradients do not allow: an objective that
// is not differentiable, weights that train and would not be kept as float32, float16.
void require_gradients(const RunConfig& config, const PreparedModel& model);

// Whether matrices are kept as float32 although the settings leave it open: Adam's steps are
// smaller than 16 bits tell apart.
bool keeps_masters(const OptimizerSettings& optimizer, bool frozen);

// A run of the past cannot go on. Throws ConfigError or RunError where the folder holds what a new
// start would destroy; else says so.
void start_anew(const RunFolder& folder, const std::string& optimizer, Console& console);

// The model as a Hugging Face folder in the run's, in float32, as it was measured. Throws RunError.
void write_trained_model(const LoadedModel& model, RunFolder& folder, Console& console);

// A signal ends it early; what was learned until then is measured and kept. Throws RunError where
// the run diverges, or the folder `model` of the run's folder is somebody else's.
Trained train_first_order(const BaselineParts& parts);

}  // namespace mezo
