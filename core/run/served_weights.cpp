#include "core/run/served_weights.h"

#include "core/forward/held_source.h"
#include "core/generate/generator.h"
#include "core/zo/stored_source.h"

namespace mezo {

namespace {

bool same_stream(const std::optional<Stream>& a, const std::optional<Stream>& b) {
  if (!a || !b) return !a && !b;
  return a->probe == b->probe && a->epsilon == b->epsilon;
}

}  // namespace

ParameterSource& ServedWeights::of(const std::optional<Stream>& stream) {
  if (!made_ || !same_stream(stream, stream_)) {
    held_.reset();  // first, as the next needs the room
    made_.reset();
    if (stream) {
      auto weights = std::make_unique<ExactWeights>(model_.store, run_->trained, run_->options);
      weights->perturb(run_->step, {*stream});
      made_ = std::move(weights);
    } else {
      made_ = std::make_unique<StoredSource>(model_.store, model_.dtype);
    }
    stream_ = stream;
    const std::int64_t bytes = held_bytes(*made_, model_.specs);
    if (bytes > 0 && copies_at_once(bytes, 1, made_->device()) == 1)
      held_ = std::make_unique<HeldSource>(*made_);
  }
  return held_ ? *held_ : *made_;
}

}  // namespace mezo
