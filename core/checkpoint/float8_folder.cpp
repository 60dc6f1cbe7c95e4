// 8-bit floats with a scale for each block of a matrix, as DeepSeek and Qwen publish them; or for
// the whole of it, or for each row. The scales multiply, whatever they are called. transformers
// computes the product in fp32 and rounds it to the type that the model runs in.
#include <fmt/format.h>

#include <cstring>

#include "core/checkpoint/matrix_parts.h"
#include "core/checkpoint/quantisation_keys.h"
#include "core/checkpoint/quantised_forms.h"
#include "core/checkpoint/scaled_matrix.h"
#include "core/error.h"
#include "core/io/quote.h"

namespace mezo {

namespace {

constexpr const char* scale_names[] = {".weight_scale_inv", ".weight_scale", ".scale"};

struct BlockSize {
  std::int64_t rows, columns;
};

// Nothing where there is a scale for a matrix or a row.
std::optional<BlockSize> block_size_of(const ModelConfig& config) {
  const std::string key = quantisation("weight_block_size");
  if (!config.has(key)) {
    for (const std::string& known : config.keys(quantisation_key))
      if (known == "weight_block_size") return std::nullopt;  // it is null
    return BlockSize{128, 128};
  }
  const auto sizes = config.integers(key);
  if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1)
    config.refuse(key, "expected rows and columns of a block");
  return BlockSize{sizes[0], sizes[1]};
}

void check(const ModelConfig& config) {
  refuse_other_keys(
      config, quantisation_key,
      {"quant_method", "activation_scheme", "weight_block_size", "fmt", "scale_fmt",
       // which modules are quantised, their tensors tell; how they are run
       "modules_to_not_convert", "ignored_layers", "modules_to_convert", "dequantize"});
  one_of(config, quantisation("fmt"), {"e4m3", "float8_e4m3fn"},
         "weights in other floats cannot be read");
  one_of(config, quantisation("scale_fmt"), {"float", "ue8m0"},
         "scales in another form cannot be read");
  one_of(config, quantisation("activation_scheme"), {"dynamic", "static"},
         "activations are quantised in a way that is not known");
  block_size_of(config);
}

const TensorView& scale_part(MatrixParts& parts) {
  const TensorView* found = nullptr;
  for (const char* name : scale_names)
    if (const TensorView* view = parts.find(name)) {
      if (found)
        parts.refuse(fmt::format("expected one scale, got {} and {}", found->name, view->name));
      found = view;
    }
  return found ? *found : parts.at(scale_names[0]);
}

std::int64_t rounded_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

BlockSize block_of(const MatrixParts& parts, const TensorView& weight, const TensorView& scale,
                   const std::optional<BlockSize>& told) {
  const std::int64_t rows = weight.shape[0], columns = weight.shape[1];
  if (scale.count() == 1) return {rows, columns};
  using Shape = std::vector<std::int64_t>;
  if (scale.shape == Shape{rows} || scale.shape == Shape{rows, 1}) return {1, columns};
  if (!told)
    parts.refuse(
        fmt::format("config.json has no weight_block_size: expected a scale of the matrix "
                    "or of each row in {}, got shape {}",
                    scale.name, shape_text(scale.shape)));
  parts.expect_shape(scale, {rounded_up(rows, told->rows), rounded_up(columns, told->columns)});
  return *told;
}

TensorView matrix_of(MatrixParts& parts, const std::optional<BlockSize>& told) {
  const TensorView& weight = parts.at(".weight");
  if (weight.shape.size() != 2 || weight.count() == 0)
    parts.refuse("expected a matrix, got shape " + shape_text(weight.shape));
  const TensorView& scale = scale_part(parts);
  if (scale.dtype != DType::F32 && scale.dtype != DType::BF16 && scale.dtype != DType::F16 &&
      scale.dtype != DType::F8_E8M0)
    parts.refuse(fmt::format("expected {} to be F32, BF16, F16 or F8_E8M0, got {}", scale.name,
                             name_of(scale.dtype)));
  const BlockSize block = block_of(parts, weight, scale, told);
  for (const char* of_activations : {".input_scale", ".activation_scale", ".output_scale"})
    parts.find(of_activations);
  ScaledMatrix matrix{weight.name, weight.shape[0], weight.shape[1], DType::FP8_F32, weight.data};
  matrix.codes = float8_codes(weight);
  set_scales(matrix, {scale, block.rows, block.columns});
  return assembled(std::move(matrix));
}

// A scale that nothing was multiplied by: the weight is not there, or not quantised.
void refuse_lonely_scales(const TensorFile& tensors, const Assembly& assembly) {
  for (const TensorView& tensor : tensors.tensors())
    for (const char* suffix : scale_names) {
      const std::string prefix = without_suffix(tensor.name, suffix);
      if (prefix.empty() || assembly.used.contains(tensor.name)) continue;
      const TensorView* weight = tensors.find(prefix + ".weight");
      throw ModelError(fmt::format("[{}] tensor {}: expected F8_E4M3 weights in {}.weight, got {}",
                                   tensors.path_of(tensor), quote(tensor.name), prefix,
                                   weight ? name_of(weight->dtype) : "none"));
    }
}

TensorFile read(const TensorFile& tensors, const ModelConfig& config) {
  const auto told = block_size_of(config);
  Assembly assembly;
  for (const TensorView& tensor : tensors.tensors()) {
    const std::string prefix = without_suffix(tensor.name, ".weight");
    if (tensor.dtype != DType::F8_E4M3 || prefix.empty()) continue;
    MatrixParts parts(tensors, tensor, prefix);
    TensorView view = matrix_of(parts, told);
    assembly.add(parts, std::move(view));
  }
  refuse_lonely_scales(tensors, assembly);
  return std::move(assembly).in(tensors);
}

std::vector<std::string> notes(const ModelConfig& config) {
  return {config.origin() +
          ": activations are meant to be quantised to 8 bits too, which is not done: what the "
          "model computes is what its dequantised weights give"};
}

}  // namespace

const QuantisedForm float8_form = {"fp8", check, read, notes};

}  // namespace mezo
