#include "core/model/weight_files.h"

#include <ATen/Parallel.h>

#include <map>

#include "core/error.h"
#include "core/io/dequantize.h"
#include "core/model/gguf_model.h"

namespace mezo {

namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void check(const TensorView& view, const ParameterSpec& spec, const std::string& path) {
  const std::string where = "[" + path + "] tensor " + view.name;
  if (view.shape != spec.shape)
    throw ModelError(where + ": the configuration asks for shape " + shape_text(spec.shape) +
                     ", got " + shape_text(view.shape));
  if (!is_weight(view.dtype))
    throw ModelError(where + ": weights of type " + name_of(view.dtype) + " cannot be read");
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
    check(*at->second.view, spec, tensors_.path_of(*at->second.view));
    found_.push_back(at->second);
    by_name.erase(at);
  }
  if (!missing.empty())
    throw ModelError("[" + tensors_.paths().front() +
                     "] tensors that the model needs are not there:" + missing);
  for (const auto& [name, view] : by_name) unused_.push_back(name);
}

void WeightFiles::read(Parameter p, float* out) const {
  const auto& [view, heads] = found(p);
  const std::int64_t width = view->shape.empty() ? 1 : view->shape.back();
  const std::int64_t rows = width > 0 ? view->count() / width : 0;
  const std::int64_t bytes = bytes_of(view->dtype, width);  // a row is whole blocks
  at::parallel_for(0, rows, 64, [&, view = view](std::int64_t b, std::int64_t e) {
    dequantize(view->dtype, view->data.data() + b * bytes, (e - b) * width, out + b * width);
  });
  if (heads == 0) return;
  if (view->shape[0] % (2 * heads) != 0)
    throw ModelError("tensor " + view->name + ": expected rows for " + std::to_string(heads) +
                     " heads of an even width, got " + std::to_string(view->shape[0]));
  undo_rotary_order(out, view->shape[0], view->shape.size() > 1 ? width : 1, heads);
}

}  // namespace mezo
