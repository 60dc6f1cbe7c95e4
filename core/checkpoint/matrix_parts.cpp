#include "core/checkpoint/matrix_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/io/quote.h"

namespace mezo {

void MatrixParts::refuse(const std::string& why) const {
  throw ModelError(
      fmt::format("[{}] tensor {}: {}", tensors_.path_of(first_), quote(first_.name), why));
}

const TensorView* MatrixParts::find(const std::string& suffix) {
  const TensorView* view = tensors_.find(prefix_ + suffix);
  if (view) used_.insert(view->name);
  return view;
}

const TensorView& MatrixParts::at(const std::string& suffix) {
  const TensorView* view = find(suffix);
  if (!view) refuse(fmt::format("quantised, but {}{} is missing", prefix_, suffix));
  return *view;
}

const TensorView& MatrixParts::at(const std::string& suffix, std::initializer_list<DType> types) {
  const TensorView& view = at(suffix);
  std::vector<std::string> names;
  for (const DType type : types) {
    if (view.dtype == type) return view;
    names.push_back(name_of(type));
  }
  refuse(fmt::format("expected {} to be {}, got {}", view.name, fmt::join(names, " or "),
                     name_of(view.dtype)));
}

void MatrixParts::expect_shape(const TensorView& part,
                               const std::vector<std::int64_t>& shape) const {
  if (part.shape != shape)
    refuse(fmt::format("expected {} of shape {}, got {}", part.name, shape_text(shape),
                       shape_text(part.shape)));
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

void Assembly::add(const MatrixParts& parts, TensorView view) {
  used.insert(parts.used().begin(), parts.used().end());
  views.push_back(std::move(view));
}

TensorFile Assembly::in(const TensorFile& tensors) && {
  for (const TensorView& tensor : tensors.tensors())
    if (!used.contains(tensor.name)) views.push_back(tensor);
  return tensors.with(std::move(views));
}

}  // namespace mezo
