#include "core/checkpoint/weight_files.h"

#include <ATen/Parallel.h>

#include <cstring>
#include <map>

#include "core/checkpoint/gguf_model.h"
#include "core/error.h"
#include "core/io/dequantize.h"

namespace mezo {

namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void check(const TensorView& view, const ParameterSpec& spec, std::int64_t rotary_heads,
           const std::string& path) {
  const std::string where = "[" + path + "] tensor " + view.name;
  if (view.shape != spec.shape)
    throw ModelError(where + ": the configuration asks for shape " + shape_text(spec.shape) +
                     ", got " + shape_text(view.shape));
  if (!is_weight(view.dtype))
    throw ModelError(where + ": weights of type " + name_of(view.dtype) + " cannot be read");
  if (rotary_heads > 0 && view.shape[0] % (2 * rotary_heads) != 0)
    throw ModelError(where + ": expected rows for " + std::to_string(rotary_heads) +
                     " heads of an even width, got " + std::to_string(view.shape[0]));
}

}  // namespace

WeightFiles::WeightFiles(TensorFile tensors, const std::vector<GgufName>* names,
                         std::span<const ParameterSpec> parameters)
    : tensors_(std::move(tensors)) {
  std::map<std::string, Found> by_name;
  for (const TensorView& view : tensors_.tensors()) {
    const auto name = names ? canonical(view.name, *names) : std::nullopt;
    by_name[name ? name->name : view.name] = {&view, name ? name->rotary_heads : 0};
  }
  std::string missing;
  for (const ParameterSpec& spec : parameters) {
    const auto at = by_name.find(spec.name);
    if (at == by_name.end()) {
      missing += "\n  " + spec.name;
      continue;
    }
    const auto& [view, rotary_heads] = at->second;
    check(*view, spec, rotary_heads, tensors_.path_of(*view));
    found_.push_back(at->second);
    by_name.erase(at);
  }
  if (!missing.empty())
    throw ModelError("[" + tensors_.paths().front() +
                     "] tensors that the model needs are not there:" + missing);
  for (const auto& [name, view] : by_name) unused_.push_back(name);
}

// Calls each(first, rows, to, width) for stretches of rows that lie together in the file, from
// `first` on, and in transformers' order, from `to` on. A vector is one row, or as many as it has
// elements where they are reordered.
template <class Each>
void WeightFiles::each_stretch(const Found& tensor, const Each& each) const {
  const auto& [view, heads] = tensor;
  const bool elements = heads > 0 && view->shape.size() == 1;
  const std::int64_t width = elements || view->shape.empty() ? 1 : view->shape.back();
  const std::int64_t rows = width > 0 ? view->count() / width : 0;
  at::parallel_for(0, rows, 64, [&, heads = heads](std::int64_t b, std::int64_t e) {
    if (heads == 0) return each(b, e - b, b, width);
    for (std::int64_t row = b; row < e; ++row) each(row, 1, rotary_row(row, rows, heads), width);
  });
  tensors_.release(*view);
}

void WeightFiles::read(Parameter p, float* out) const {
  const TensorView& view = this->view(p);
  each_stretch(found(p),
               [&](std::int64_t first, std::int64_t rows, std::int64_t to, std::int64_t width) {
                 dequantize(view.dtype, view.data.data() + first * bytes_of(view.dtype, width),
                            rows * width, out + to * width);
               });
}

void WeightFiles::copy(Parameter p, std::byte* out) const {
  const TensorView& view = this->view(p);
  each_stretch(found(p),
               [&](std::int64_t first, std::int64_t rows, std::int64_t to, std::int64_t width) {
                 const std::int64_t bytes = bytes_of(view.dtype, width);  // a row is whole blocks
                 std::memcpy(out + to * bytes, view.data.data() + first * bytes,
                             static_cast<std::size_t>(rows * bytes));
               });
}

}  // namespace mezo
