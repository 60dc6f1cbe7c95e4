#pragma once
// Scores options: packs examples into one forward, asks the model for the rows that predict an
// option's tokens, and turns their logits into one number an option. Only those rows reach the
// head. Used by training (two streams) and evaluation (one) alike.

#include <span>

#include "core/model/load_model.h"
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

// [S, E, O] fp32 with S = source.streams(); minus infinity where an example has fewer than O
// options.
MEZO_API Outputs score(const LoadedModel& model, ParameterSource& source,
                       std::span<const EncodedExample* const> examples, Normalise normalise);

// [E] int64.
MEZO_API Targets targets_of(std::span<const EncodedExample* const> examples);

}  // namespace mezo
