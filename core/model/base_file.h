#pragma once
// The weight file that a model was loaded from, opened again: which type it holds a parameter in,
// and the numbers it had before training. Used by the export. Costs a mapping and a look at the
// header; numbers are read when asked for.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/io/gguf.h"
#include "core/model/load_model.h"

namespace mezo {

class BaseFile {
 public:
  // Throws ModelError when the file can no longer be read, or holds a parameter of the model no
  // longer, or in another shape or in a type that is not a weight's.
  explicit BaseFile(const LoadedModel& model);

  DType dtype(Parameter p) const { return found(p).view->dtype; }

  // The parameter as load_model() reads it, in transformers' order of rows; `out` has its elements.
  void read(Parameter p, std::span<float> out) const;

  // The whole of a .gguf file; nothing where the model is a folder.
  const std::optional<GgufFile>& gguf() const { return gguf_; }

 private:
  struct Found {
    const TensorView* view = nullptr;
    std::int64_t rotary_heads = 0;
  };
  const Found& found(Parameter p) const { return found_.at(static_cast<std::size_t>(p.index)); }
  void find(const LoadedModel& model, const std::map<std::string, Found>& by_name);

  std::optional<GgufFile> gguf_;
  TensorFile tensors_;
  std::vector<Found> found_;  // by parameter; they point into tensors_
};

}  // namespace mezo
