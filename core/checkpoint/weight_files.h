#pragma once
// A model's weight files by its parameters: which tensor of which file holds each, in which type,
// and its numbers as transformers orders them. Both readers use it: load_model(), and the export,
// which opens the files once more. Costs a look at the headers; numbers are read when asked for,
// and what a tensor takes of memory in the mapped file is given back once it was read.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"
#include "core/model/declaration.h"
#include "core/model/model.h"

namespace mezo {

class WeightFiles {
 public:
  WeightFiles() = default;

  // `names`: the family's names for a GGUF file's tensors; null for a Hugging Face folder. Throws
  // ModelError for parameters that are missing (all of them at once), of another shape, or of a
  // type that is not a weight's.
  WeightFiles(TensorFile tensors, const std::vector<GgufName>* names,
              std::span<const ParameterSpec> parameters);

  // Moved, never copied: views point into the tensors that they were found in.
  WeightFiles(WeightFiles&&) = default;
  WeightFiles& operator=(WeightFiles&&) = default;

  const TensorView& view(Parameter p) const { return *found(p).view; }

  // spec.elements() numbers as fp32, in transformers' order of rows.
  void read(Parameter p, float* out) const;
  // The view's bytes as the file has them, but for that order.
  void copy(Parameter p, std::byte* out) const;

  std::vector<std::string> paths() const { return tensors_.paths(); }
  // Tensors that no parameter is read from.
  const std::vector<std::string>& unused() const { return unused_; }

 private:
  struct Found {
    const TensorView* view = nullptr;
    std::int64_t rotary_heads = 0;
  };
  const Found& found(Parameter p) const { return found_.at(static_cast<std::size_t>(p.index)); }
  template <class Each>
  void each_stretch(const Found& tensor, const Each& each) const;

  TensorFile tensors_;
  std::vector<Found> found_;  // of each parameter; they point into tensors_
  std::vector<std::string> unused_;
};

}  // namespace mezo
