#pragma once
// The tensors that a folder keeps one quantised matrix in, found by their suffixes behind a common
// prefix and checked for what each must be. Used by the readers of the libraries' forms
// (core/checkpoint/quantised_folder.h).

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"

namespace mezo {

class MatrixParts {
 public:
  // `first`: the tensor that told of the matrix; messages name its file.
  MatrixParts(const TensorFile& tensors, const TensorView& first, std::string prefix)
      : tensors_(tensors), first_(first), prefix_(std::move(prefix)) {}

  const std::string& prefix() const { return prefix_; }
  // ModelError that names the file and the matrix.
  [[noreturn]] void refuse(const std::string& why) const;

  // nullptr where there is none. What was asked for is the matrix's and no tensor of its own.
  const TensorView* find(const std::string& suffix);
  // Refused where it is missing.
  const TensorView& at(const std::string& suffix);
  // Refused where it is of another type than one of `types`.
  const TensorView& at(const std::string& suffix, std::initializer_list<DType> types);
  // Refused where it has another shape.
  void expect_shape(const TensorView& part, const std::vector<std::int64_t>& shape) const;

  const std::set<std::string>& used() const { return used_; }

 private:
  const TensorFile& tensors_;
  const TensorView& first_;
  std::string prefix_;
  std::set<std::string> used_;
};

// "[2, 64]".
std::string shape_text(const std::vector<std::int64_t>& shape);

// Views that stand for what they were put together of.
struct Assembly {
  std::vector<TensorView> views;
  std::set<std::string> used;

  void add(const MatrixParts& parts, TensorView view);
  // The same tensors, with the views instead of their parts.
  TensorFile in(const TensorFile& tensors) &&;
};

// `name` without `suffix`, or nothing where it does not end so.
inline std::string without_suffix(const std::string& name, const std::string& suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : "";
}

}  // namespace mezo
