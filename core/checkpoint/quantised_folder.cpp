#include "core/checkpoint/quantised_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/checkpoint/quantisation_keys.h"
#include "core/checkpoint/quantised_forms.h"
#include "core/error.h"
#include "core/io/safetensors.h"

namespace mezo {

namespace {

const QuantisedForm* const forms[] = {&bitsandbytes_form, &float8_form, &compressed_tensors_form,
                                      &gptq_form, &awq_form};

const QuantisedForm& form_of(const ModelConfig& config) {
  const std::string method = config.text(quantisation("quant_method"), "");
  for (const QuantisedForm* form : forms)
    if (method == form->method) return *form;
  config.refuse(
      quantisation("quant_method"),
      "weights quantised by " + (method.empty() ? "what it does not say" : method) +
          " cannot be read; bitsandbytes, fp8, compressed-tensors, gptq and awq can, and the model "
          "before it was quantised, or what its library dequantises it to");
}

// Files of before config.json told of it.
void refuse_untold(const TensorFile& tensors) {
  for (const TensorView& tensor : tensors.tensors())
    if (tensor.name.ends_with(".qweight"))
      throw ModelError(fmt::format(
          "[{}] tensor {}: quantised, but config.json has no quantization_config; put what "
          "quantize_config.json or quant_config.json says there, with a quant_method",
          tensors.path_of(tensor), tensor.name));
}

}  // namespace

void refuse_quantisation(const ModelConfig& config) {
  if (config.has(quantisation_key)) form_of(config).check(config);
}

TensorFile folder_weights(const std::string& folder, const ModelConfig& config) {
  TensorFile tensors = load_safetensors_folder(folder);
  if (!config.has(quantisation_key)) {
    refuse_untold(tensors);
    return tensors;
  }
  const QuantisedForm& form = form_of(config);
  form.check(config);
  TensorFile read = form.read(tensors, config);
  if (std::ranges::none_of(read.tensors(), [](const auto& view) { return bool(view.assemble); }))
    throw ModelError(
        fmt::format("[{}] config.json says that the weights are quantised ({}), but no tensor is: "
                    "take the quantization_config out to read them as they are",
                    folder, form.method));
  return read;
}

std::vector<std::string> quantisation_notes(const TensorFile& tensors, const ModelConfig& config) {
  if (!config.has(quantisation_key)) return {};
  std::vector<std::string> notes = form_of(config).notes(config);
  std::int64_t count = 0, file = 0, kept = 0;
  const TensorView* first = nullptr;
  for (const TensorView& tensor : tensors.tensors()) {
    if (!tensor.assemble || block_size(tensor.dtype) > 1) continue;
    if (count++ == 0) first = &tensor;
    file += static_cast<std::int64_t>(tensor.data.size());
    kept += bytes_of(tensor.dtype, tensor.count());
  }
  if (count > 0)
    notes.push_back(fmt::format(
        "{} quantised matrices ({} the first) have scales of other groups than whole runs of 32 "
        "columns, so they are dequantised as they are loaded, to {}: {:.1f} MB instead of {:.1f} "
        "MB",
        count, first->name, name_of(first->dtype), static_cast<double>(kept) / 1e6,
        static_cast<double>(file) / 1e6));
  return notes;
}

}  // namespace mezo
