#pragma once
// Scores options: packs examples into one forward, asks the model for the rows that predict an
// option's tokens, and turns their logits into one number an option. Only those rows reach the
// head. Used by training (two streams) and evaluation (one) alike.

#include <memory>
#include <span>

#include "core/forward/network.h"
#include "core/model/parameter_source.h"
#include "core/task/encode.h"
#include "core/task/objective.h"

namespace mezo {

enum class Normalise {
  // Mean log-probability of the option's tokens over the whole vocabulary.
  vocabulary,
  // The same up to a constant for each example, where every option of the batch is one token at the
  // same place: then only those
  // vocabulary entries are computed. Otherwise as `vocabulary`.
  if_needed
};

// A forward that has been asked for; on a GPU it may still be running. Examples of one step that
// are computed in several forwards are collected together, so that the host waits once.
struct MEZO_API Pending {
  Pending();
  Pending(Pending&&) noexcept;
  Pending& operator=(Pending&&) noexcept;
  ~Pending();
  struct Work;
  std::unique_ptr<Work> work;
};

MEZO_API Pending begin_scoring(const Network& network, ParameterSource& source,
                               std::span<const EncodedExample* const> examples,
                               Normalise normalise);

// The examples of all forwards, in their order: [S, E, O] fp32 on the host with S =
// source.streams(); minus infinity where an example has fewer than O options.
MEZO_API Outputs collect(std::span<const Pending> forwards);

// Both in one.
MEZO_API Outputs score(const Network& network, ParameterSource& source,
                       std::span<const EncodedExample* const> examples, Normalise normalise);

// [E] int64.
MEZO_API Targets targets_of(std::span<const EncodedExample* const> examples);

}  // namespace mezo
