#pragma once
// The weight files that a model was loaded from, opened again by the export: which type they hold a
// parameter in, and the numbers it had before training.

#include <optional>

#include "core/checkpoint/load_model.h"
#include "core/checkpoint/weight_files.h"
#include "core/io/gguf.h"

namespace mezo {

struct BaseFile {
  // Throws ModelError when the files can no longer be read, or no longer hold the model.
  explicit BaseFile(const LoadedModel& model);

  std::optional<GgufFile> gguf;  // nothing where the model is a folder
  WeightFiles weights;
};

}  // namespace mezo
