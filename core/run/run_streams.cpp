#include "core/run/run_streams.h"

#include "core/record/provenance.h"
#include "core/run/placement.h"
#include "core/settings/recorded.h"

namespace mezo {

RunStreams streams_of(const ReplayedRun& run) {
  const StepSettings settings = recorded_steps(run.tree);
  RunStreams streams{run.step,
                     {},
                     trained_of(run.trajectory.header, run.model.store),
                     exact_options(settings.optimizer, settings.trainer, run.model.dtype)};
  for (const auto& forward : estimator_after(run.trajectory, run.step)->forwards(run.step))
    for (const Stream& stream : forward)
      if (stream.probe >= 0) streams.streams.push_back(stream);
  return streams;
}

}  // namespace mezo
