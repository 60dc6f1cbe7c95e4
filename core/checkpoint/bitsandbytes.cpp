// bitsandbytes' 4 bits: beside the nibbles a tensor of scales, tables and a tensor that holds a
// JSON text. Scales may be quantised themselves. And its 8 bits, where a row has one scale.
// Compiled with -ffp-contract=off: scales are products and sums that bitsandbytes rounds one by
// one.
#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/checkpoint/matrix_parts.h"
#include "core/checkpoint/quantisation_keys.h"
#include "core/checkpoint/quantised_forms.h"
#include "core/checkpoint/scaled_matrix.h"
#include "core/error.h"
#include "core/io/blocks.h"
#include "core/io/json_text.h"

namespace mezo {

namespace {

constexpr std::int64_t kBlock = Block<DType::NF4_F32>::weights;

// What nibbles stand for, and how a matrix tells it.
struct Levels {
  const char* name;
  const char* state;
  float (*level)(int);
  DType fp32, fp16, bf16;
};
constexpr Levels kLevels[] = {{"nf4", ".quant_state.bitsandbytes__nf4", normal_float_level,
                               DType::NF4_F32, DType::NF4_F16, DType::NF4_BF16},
                              {"fp4", ".quant_state.bitsandbytes__fp4", small_float_level,
                               DType::FP4_F32, DType::FP4_F16, DType::FP4_BF16}};

// The tensors of one matrix in 4 bits, by suffixes of its own name.
class Parts : public MatrixParts {
 public:
  Parts(const TensorFile& tensors, const TensorView& state, std::string name, const Levels& levels)
      : MatrixParts(tensors, state, std::move(name)), levels(levels), tensors_(tensors) {}

  const Levels& levels;

  // Of so many elements.
  const TensorView& part(const char* suffix, DType dtype, std::int64_t count) {
    const TensorView& view = at(suffix);
    if (view.dtype != dtype || view.count() != count)
      refuse(fmt::format("expected {} elements of {} in {}, got {} of {}", count, name_of(dtype),
                         view.name, view.count(), name_of(view.dtype)));
    return view;
  }
  // Bytes of the weights, whatever type they are called.
  const TensorView& packed(std::int64_t bytes) {
    const TensorView* view = find("");
    if (!view || static_cast<std::int64_t>(view->data.size()) != bytes)
      refuse(fmt::format("expected {} bytes of 4-bit weights, got {}", bytes,
                         view ? view->data.size() : 0));
    return *view;
  }
  nlohmann::json state() {
    const TensorView& view = at(levels.state);
    const auto* text = reinterpret_cast<const char*>(view.data.data());
    const auto json = json_of<ModelError>(
        {text, view.data.size()}, fmt::format("[{}] tensor {}", tensors_.path_of(view), view.name));
    if (!json.is_object()) refuse("expected a JSON object in " + view.name);
    return json;
  }

 private:
  const TensorFile& tensors_;
};

std::int64_t integer_of(const Parts& parts, const nlohmann::json& state, const char* key) {
  const auto value = state.find(key);
  if (value == state.end() || !value->is_number_integer() || *value <= 0 ||
      *value > (std::int64_t{1} << 40))
    parts.refuse(fmt::format("expected a size as {} in its {}", key, parts.levels.state + 1));
  return value->get<std::int64_t>();
}

DType dtype_of(const Parts& parts, const nlohmann::json& state) {
  const std::string name = state.value("dtype", nlohmann::json()).dump();
  if (name == "\"float32\"") return parts.levels.fp32;
  if (name == "\"float16\"") return parts.levels.fp16;
  if (name == "\"bfloat16\"") return parts.levels.bf16;
  parts.refuse("expected weights that were float32, float16 or bfloat16, got " + name);
}

std::vector<std::int64_t> shape_of(const Parts& parts, const nlohmann::json& state) {
  std::vector<std::int64_t> shape;
  const auto list = state.value("shape", nlohmann::json::array());
  for (const auto& extent : list)
    if (extent.is_number_integer()) shape.push_back(extent.get<std::int64_t>());
  if (shape.empty() || shape.size() != list.size() || element_count(shape).value_or(0) == 0)
    parts.refuse("expected a shape in its quant_state, got " + list.dump());
  if (shape.back() % kBlock != 0)
    parts.refuse(
        fmt::format("expected rows of a multiple of {} weights, got {}", kBlock, shape.back()));
  return shape;
}

float float_at(std::span<const std::byte> bytes, std::int64_t i) {
  float value;
  std::memcpy(&value, bytes.data() + i * static_cast<std::int64_t>(sizeof value), sizeof value);
  return value;
}

// Of each block, read when it is asked for: fp32, or a byte that names one of 256 levels of an
// outer block's scale, around an offset.
struct Scales {
  std::span<const std::byte> stored, levels, outer;
  std::int64_t outer_block = 0;  // 0: not nested
  float offset = 0;

  float operator()(std::int64_t i) const {
    if (outer_block == 0) return float_at(stored, i);
    const auto code = std::to_integer<std::int64_t>(stored[static_cast<std::size_t>(i)]);
    return float_at(levels, code) * float_at(outer, i / outer_block) + offset;
  }
};

Scales scales_of(Parts& parts, const nlohmann::json& state, std::int64_t count) {
  if (!state.contains("nested_blocksize"))
    return {parts.part(".absmax", DType::F32, count).data, {}, {}};
  const std::int64_t block = integer_of(parts, state, "nested_blocksize");
  const auto offset = state.find("nested_offset");
  if (offset == state.end() || !offset->is_number())
    parts.refuse("expected a number as nested_offset in its quant_state");
  return {parts.part(".absmax", DType::U8, count).data,
          parts.part(".nested_quant_map", DType::F32, 256).data,
          parts.part(".nested_absmax", DType::F32, (count + block - 1) / block).data, block,
          static_cast<float>(offset->get<double>())};
}

void check_levels(Parts& parts) {
  const auto levels = parts.part(".quant_map", DType::F32, 16).data;
  for (int i = 0; i < 16; ++i)
    if (float_at(levels, i) != parts.levels.level(i))
      parts.refuse(
          fmt::format("expected bitsandbytes' levels of {} in {}.quant_map, got {} as "
                      "level {}",
                      parts.levels.name, parts.prefix(), float_at(levels, i), i));
}

// Two weights a byte, the first in the upper half, to nibbles that lie as blocks have them.
void write_block(const std::byte* pairs, float scale, std::byte* out) {
  const auto weight = [pairs](std::int64_t i) {
    return std::to_integer<unsigned>(pairs[i / 2]) >> (i % 2 ? 0 : 4) & 15;
  };
  std::memcpy(out, &scale, sizeof scale);
  out += sizeof scale;
  for (std::int64_t first = 0; first < kBlock; first += 2 * run_length)
    for (std::int64_t i = first; i < first + run_length; ++i)
      *out++ = static_cast<std::byte>(weight(i) | weight(i + run_length) << 4);
}

TensorView four_bits(Parts& parts) {
  const nlohmann::json state = parts.state();
  TensorView view{parts.prefix(), dtype_of(parts, state), shape_of(parts, state), {}};
  const std::int64_t block = integer_of(parts, state, "blocksize"), count = view.count();
  if (block % kBlock != 0)
    parts.refuse(fmt::format("expected a blocksize of a multiple of {}, got {}", kBlock, block));
  check_levels(parts);
  view.data = parts.packed(count / 2).data;
  view.assemble = [pairs = view.data, scales = scales_of(parts, state, (count + block - 1) / block),
                   block](std::int64_t first, std::int64_t n, std::byte* out) {
    for (std::int64_t i = first; i < first + n; i += kBlock, out += Block<DType::NF4_F32>::bytes)
      write_block(pairs.data() + i / 2, scales(i / block), out);
  };
  return view;
}

// Rows of signed bytes, each with its largest magnitude.
TensorView eight_bits(MatrixParts& parts) {
  const TensorView& weight = parts.at(".weight", {DType::I8});
  if (weight.shape.size() != 2 || weight.count() == 0)
    parts.refuse("expected a matrix, got shape " + shape_text(weight.shape));
  const TensorView& largest = parts.at(".SCB", {DType::F32});
  parts.expect_shape(largest, {weight.shape[0]});
  if (const TensorView* order = parts.find(".weight_format"))
    for (const std::byte b : order->data)
      if (b != std::byte{0})
        parts.refuse(fmt::format("expected rows in their order (0) in {}, got {}", order->name,
                                 std::to_integer<int>(b)));
  ScaledMatrix matrix{weight.name, weight.shape[0], weight.shape[1], DType::INT8_BNB, weight.data};
  matrix.codes = signed_codes(weight);
  set_scales(matrix, {largest, 1, weight.shape[1], {}, 128});
  return assembled(std::move(matrix));
}

TensorFile read(const TensorFile& tensors, const ModelConfig&) {
  Assembly assembly;
  for (const TensorView& tensor : tensors.tensors()) {
    for (const Levels& levels : kLevels)
      if (const std::string name = without_suffix(tensor.name, levels.state); !name.empty()) {
        Parts parts(tensors, tensor, name, levels);
        TensorView view = four_bits(parts);
        assembly.add(parts, std::move(view));
      }
    if (const std::string prefix = without_suffix(tensor.name, ".SCB"); !prefix.empty()) {
      MatrixParts parts(tensors, tensor, prefix);
      TensorView view = eight_bits(parts);
      assembly.add(parts, std::move(view));
    }
  }
  return std::move(assembly).in(tensors);
}

void check(const ModelConfig& config) {
  refuse_other_keys(
      config, quantisation_key,
      {"quant_method", "load_in_4bit", "load_in_8bit", "_load_in_4bit", "_load_in_8bit",
       "bnb_4bit_quant_type", "llm_int8_has_fp16_weight",
       // the tensors tell; how they are computed with
       "bnb_4bit_use_double_quant", "bnb_4bit_quant_storage", "bnb_4bit_compute_dtype",
       "llm_int8_enable_fp32_cpu_offload", "llm_int8_skip_modules", "llm_int8_threshold"});
  const bool four = config.boolean(quantisation("load_in_4bit"), false),
             eight = config.boolean(quantisation("load_in_8bit"), false);
  if (four == eight)
    config.refuse(quantisation("load_in_4bit"),
                  "expected either load_in_4bit or load_in_8bit to be true");
  if (four)
    one_of(config, quantisation("bnb_4bit_quant_type"), {"fp4", "nf4"},
           "weights of another type cannot be read");
  if (eight && config.boolean(quantisation("llm_int8_has_fp16_weight"), false))
    config.refuse(quantisation("llm_int8_has_fp16_weight"),
                  "weights that are quantised anew for each forward cannot be read");
}

std::vector<std::string> notes(const ModelConfig& config) {
  if (!config.boolean(quantisation("load_in_8bit"), false)) return {};
  return {config.origin() +
          ": activations are meant to be quantised to 8 bits too, which is not done: what the "
          "model computes is what its dequantised weights give"};
}

}  // namespace

const QuantisedForm bitsandbytes_form = {"bitsandbytes", check, read, notes};

}  // namespace mezo
