#include "core/model/base_file.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <filesystem>

#include "core/error.h"
#include "core/io/dequantize.h"
#include "core/io/safetensors.h"
#include "core/model/gguf_model.h"
#include "core/plugin/create.h"

namespace mezo {

BaseFile::BaseFile(const LoadedModel& model) {
  std::vector<GgufName> names;
  if (std::filesystem::is_directory(model.path)) {
    tensors_ = load_safetensors_folder(model.path);
  } else {
    gguf_ = load_gguf(model.path);
    tensors_ = gguf_->tensors;
    guard(
        model.component, [&] { names = model.family->gguf_names(model.config); },
        "naming the tensors");
  }
  std::map<std::string, Found> by_name;
  for (const TensorView& view : tensors_.tensors()) {
    const auto name = gguf_ ? canonical(view.name, names) : std::nullopt;
    by_name[name ? name->name : view.name] = {&view, name ? name->rotary_heads : 0};
  }
  find(model, by_name);
}

void BaseFile::find(const LoadedModel& model, const std::map<std::string, Found>& by_name) {
  for (const ParameterSpec& spec : model.store.specs()) {
    const auto at = by_name.find(spec.name);
    const bool same = at != by_name.end() && at->second.view->shape == spec.shape &&
                      is_weight(at->second.view->dtype);
    if (!same)
      throw ModelError(
          fmt::format("[{}] tensor {}: expected it as the model was loaded with, got {}",
                      tensors_.paths().front(), spec.name,
                      at == by_name.end() ? "none" : "one of another shape or type"));
    found_.push_back(at->second);
  }
}

void BaseFile::read(Parameter p, std::span<float> out) const {
  const TensorView& view = *found(p).view;
  const std::int64_t width = view.shape.empty() ? 1 : view.shape.back();
  const std::int64_t rows = width > 0 ? view.count() / width : 0;
  const std::int64_t bytes = bytes_of(view.dtype, width);  // a row is whole blocks
  at::parallel_for(0, rows, 64, [&](std::int64_t b, std::int64_t e) {
    dequantize(view.dtype, view.data.data() + b * bytes, (e - b) * width, out.data() + b * width);
  });
  if (const std::int64_t heads = found(p).rotary_heads; heads > 0)
    undo_rotary_order(out.data(), view.shape[0], view.shape.size() > 1 ? width : 1, heads);
}

}  // namespace mezo
