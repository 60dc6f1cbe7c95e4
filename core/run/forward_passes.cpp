#include "core/run/forward_passes.h"

#include "core/settings/recorded.h"
#include "core/settings/resolved.h"

namespace mezo {

namespace {

std::uint64_t passes_between(const OptimizerSettings& optimizer, const EstimatorContext& context,
                             std::uint32_t first, std::uint32_t end) {
  const auto estimator = make_estimator(optimizer, context);
  std::uint64_t passes = 0;
  for (std::uint32_t step = first; step < end; ++step)
    for (const auto& forward : estimator->forwards(step)) passes += forward.size();
  return passes;
}

}  // namespace

std::uint64_t forward_passes(const OptimizerSettings& now, const EstimatorContext& context,
                             std::uint32_t steps, const std::optional<Resumption>& resumption) {
  if (!resumption) return passes_between(now, context, 0, steps);
  const Trajectory& past = resumption->past;
  std::uint64_t passes = passes_between(now, context, past.steps(), steps);
  for (std::size_t i = 0; i < past.segments.size(); ++i) {
    const Segment& segment = past.segments[i];
    const std::uint32_t end =
        i + 1 < past.segments.size() ? past.segments[i + 1].first_step : past.steps();
    const OptimizerSettings then = recorded_steps(recorded_tree(segment.config)).optimizer;
    passes += passes_between(then, context, segment.first_step, end);
  }
  return passes;
}

}  // namespace mezo
