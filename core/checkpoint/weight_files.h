#pragma once
// A model's weight files by its parameters: which tensor of which file holds each, in which type,
// and its numbers as transformers orders them. Both readers use it: load_model(), and the export,
// which opens the files once more. Costs a look at the headers; numbers are read when asked for,
// and what a tensor takes of memory in the mapped file is given back once it was read.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/checkpoint/named_tensors.h"
#include "core/io/tensor_file.h"
#include "core/model/declaration.h"

namespace mezo {

class MEZO_API WeightFiles {
 public:
  WeightFiles() = default;

  // `names`: the family's, for files of this kind. Throws ModelError for parameters that are
  // missing, of another shape, or of a type that is not a weight's (all of them at once), or there
  // twice.
  WeightFiles(TensorFile tensors, const TensorNames& names,
              std::span<const ParameterSpec> parameters);

  // Moved, never copied: views point into the tensors that they were found in.
  WeightFiles(WeightFiles&&) = default;
  WeightFiles& operator=(WeightFiles&&) = default;

  const TensorView& view(Parameter p) const { return *found(p).view; }

  // Will be read soon: the system may fetch it meanwhile.
  void expect(Parameter p) const { tensors_.expect(view(p)); }

  // spec.elements() numbers as fp32, in transformers' order of rows and columns.
  void read(Parameter p, float* out) const;
  // The view's bytes as the file has them, but for that order. Throws ModelError where blocks of
  // quantised weights lie across the rows.
  void copy(Parameter p, std::byte* out) const;

  std::vector<std::string> paths() const { return tensors_.paths(); }
  // Tensors that no parameter is read from, as the files call them, but for those to be ignored.
  const std::vector<std::string>& unused() const { return unused_; }
  // Of a parameter that the files have under two names: the other one, which an export has too.
  const std::map<std::string, std::string>& twice() const { return twice_; }

 private:
  const NamedTensor& found(Parameter p) const {
    return found_.at(static_cast<std::size_t>(p.index));
  }
  template <class Each>
  void each_stretch(const NamedTensor& tensor, const Each& each) const;

  TensorFile tensors_;
  std::vector<NamedTensor> found_;  // of each parameter; they point into tensors_
  std::vector<std::string> unused_;
  std::map<std::string, std::string> twice_;
};

}  // namespace mezo
