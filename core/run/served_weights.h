#pragma once
// The weights that texts are asked for of, request after request: theta, or one of a run's streams.
// What was asked for last stays made, copies of its matrices included, so that a request under the
// same weights begins at once. Used by `mezo serve`.
//
// Memory: one stream's copies (core/forward/held_source.h), where they fit, for as long as nothing
// else is asked for.

#include <memory>
#include <optional>

#include "core/checkpoint/load_model.h"
#include "core/model/parameter_source.h"
#include "core/run/run_streams.h"

namespace mezo {

class ServedWeights {
 public:
  // Keeps references, and writes no weight. `run`: null where there are no streams.
  ServedWeights(LoadedModel& model, const RunStreams* run) : model_(model), run_(run) {}

  // None: theta, as `mezo predict` reads it; else what training reads. Good until the next call.
  ParameterSource& of(const std::optional<Stream>& stream);

 private:
  LoadedModel& model_;
  const RunStreams* run_;
  std::optional<Stream> stream_;
  std::unique_ptr<ParameterSource> made_, held_;  // held_: copies of what made_ makes
};

}  // namespace mezo
