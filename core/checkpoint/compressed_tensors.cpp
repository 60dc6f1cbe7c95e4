// The forms of the compressed-tensors library, which llm-compressor writes: integers or 8-bit
// floats as they are (naive-, int- and float-quantized), or integers packed into words along a row
// (pack-quantized). A product is rounded to the type of its scale. The tensors tell of a matrix how
// it is quantised; one of the configuration's groups must say the same.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/checkpoint/bit_codes.h"
#include "core/checkpoint/compressed_schemes.h"
#include "core/checkpoint/matrix_parts.h"
#include "core/checkpoint/quantisation_keys.h"
#include "core/checkpoint/quantised_forms.h"
#include "core/checkpoint/scaled_matrix.h"
#include "core/error.h"
#include "core/io/quote.h"

namespace mezo {

namespace {

constexpr const char* kPacked = ".weight_packed";
constexpr const char* kScale = ".weight_scale";
constexpr const char* kZero = ".weight_zero_point";
constexpr const char* kGroupOf = ".weight_g_idx";

using Shape = std::vector<std::int64_t>;

// A matrix's tensors.
struct Found {
  MatrixParts& parts;
  const TensorView& weight;  // packed or not
  std::int64_t rows, columns;
  const TensorView& scale;
  const TensorView* zero;      // or nullptr
  const TensorView* group_of;  // or nullptr
};

std::int64_t rounded_up(std::int64_t n, std::int64_t by) { return (n + by - 1) / by; }

// Of scales, [rows of groups, groups of a row].
Shape grid_of(const CompressedScheme& scheme, const Found& found) {
  const auto blocks = [](std::int64_t n, std::int64_t size) {
    return size == 0 ? 1 : rounded_up(n, size);
  };
  return {blocks(found.rows, scheme.block_rows), blocks(found.columns, scheme.block_columns)};
}

bool of_shape(const TensorView& tensor, const Shape& grid) {
  return tensor.shape == grid || (tensor.count() == 1 && grid == Shape{1, 1}) ||
         (grid[1] == 1 && tensor.shape == Shape{grid[0]});
}

bool is_zero(const TensorView& tensor) {
  return std::ranges::all_of(tensor.data, [](std::byte b) { return b == std::byte{0}; });
}

// Why the tensors are not quantised in this way; empty where they are.
std::string misfit(const CompressedScheme& scheme, const Found& found) {
  const auto& [parts, weight, rows, columns, scale, zero, group_of] = found;
  const bool packed = weight.name.ends_with(kPacked);
  const DType type = packed ? DType::I32 : scheme.floats ? DType::F8_E4M3 : DType::I8;
  if (packed != scheme.packed || weight.dtype != type)
    return fmt::format("expected {} {} weights, got {}", scheme.packed ? "packed" : "unpacked",
                       name_of(scheme.packed ? DType::I32 : type), name_of(weight.dtype));
  if (packed && weight.shape != Shape{rows, rounded_up(columns * scheme.bits, 32)})
    return fmt::format("expected words of shape {} for {} bits, got {}",
                       shape_text({rows, rounded_up(columns * scheme.bits, 32)}), scheme.bits,
                       shape_text(weight.shape));
  if (scheme.strategy == "group" && columns % scheme.block_columns != 0)
    return fmt::format("groups of {} columns do not divide its {}", scheme.block_columns, columns);
  const Shape grid = grid_of(scheme, found);
  if (!of_shape(scale, grid))
    return fmt::format("expected scales of shape {} in {}, got {}", shape_text(grid), scale.name,
                       shape_text(scale.shape));
  if (scheme.symmetric != !zero && !(scheme.symmetric && is_zero(*zero)))
    return zero ? "expected no zero points but 0, got some in " + zero->name
                : "zero points are missing";
  return "";
}

// Packed along the rows of [rows, groups] where weights are packed, and groups are of a row.
void set_zeros(ScaleGrid& grid, const CompressedScheme& scheme, const Found& found) {
  const TensorView& zero = *found.zero;
  const Shape of_grid = grid_of(scheme, found);
  if (scheme.packed && (scheme.strategy == "group" || scheme.strategy == "channel")) {
    if (zero.dtype != DType::I32)
      found.parts.refuse("expected zero points of I32, got " + std::string(name_of(zero.dtype)));
    found.parts.expect_shape(zero, {rounded_up(found.rows * scheme.bits, 32), of_grid[1]});
    grid.zero = [zero = zero, bits = scheme.bits, groups = of_grid[1]](std::int64_t row,
                                                                       std::int64_t g) {
      const std::int64_t in_word = 32 / bits;
      return code_in(word_of(zero, row / in_word * groups + g), row % in_word, bits);
    };
    return;
  }
  if (zero.dtype != DType::I8)
    found.parts.refuse("expected zero points of I8, got " + std::string(name_of(zero.dtype)));
  if (!of_shape(zero, of_grid)) found.parts.expect_shape(zero, of_grid);
  grid.zero = [zero = zero, rows = grid.block_rows, groups = of_grid[1], offset = grid.zero_of_all](
                  std::int64_t row, std::int64_t g) {
    const auto at = static_cast<std::size_t>(row / rows * groups + g);
    return static_cast<std::uint8_t>(std::to_integer<int>(zero.data[at]) + offset);
  };
}

// Where weights were quantised in another order of columns: -1 of none that were.
void set_groups(ScaledMatrix& matrix, const CompressedScheme& scheme, const Found& found) {
  const TensorView& group_of = *found.group_of;
  if (group_of.dtype != DType::I32)
    found.parts.refuse("expected groups of I32, got " + std::string(name_of(group_of.dtype)));
  found.parts.expect_shape(group_of, {found.columns});
  std::vector<std::int32_t> groups(static_cast<std::size_t>(found.columns));
  for (std::size_t c = 0; c < groups.size(); ++c)
    groups[c] = static_cast<std::int32_t>(word_of(group_of, static_cast<std::int64_t>(c)));
  if (std::ranges::all_of(groups, [](std::int32_t g) { return g == -1; })) return;
  for (const std::int32_t g : groups)
    if (g < 0 || g >= matrix.groups || scheme.strategy != "group")
      found.parts.refuse(fmt::format("expected groups from 0 to {} in {}, got {}",
                                     matrix.groups - 1, group_of.name, g));
  matrix.group_of = std::move(groups);
}

Codes packed_codes(const TensorView& weight, std::int64_t columns, int bits) {
  return [weight, columns, bits](std::int64_t first, std::int64_t count, std::uint8_t* codes) {
    const std::int64_t words = weight.shape[1], in_word = 32 / bits;
    for (std::int64_t row = first; row < first + count; ++row)
      for (std::int64_t c = 0; c < columns; ++c)
        *codes++ = code_in(word_of(weight, row * words + c / in_word), c % in_word, bits);
  };
}

TensorView matrix_of(const CompressedScheme& scheme, const Found& found) {
  const DType kind = scheme.floats                       ? DType::FP8_F32
                     : scheme.packed && scheme.bits <= 4 ? DType::INT4_F32
                                                         : DType::INT8_F32;
  ScaledMatrix matrix{found.parts.prefix() + ".weight", found.rows, found.columns,
                      blocks_in(kind, found.scale.dtype), found.weight.data};
  matrix.codes = scheme.packed   ? packed_codes(found.weight, found.columns, scheme.bits)
                 : scheme.floats ? float8_codes(found.weight)
                                 : signed_codes(found.weight);
  // A packed code counts from the least integer, another from -128.
  const int offset = 1 << ((scheme.packed ? scheme.bits : 8) - 1);
  ScaleGrid grid{found.scale,
                 scheme.block_rows ? scheme.block_rows : found.rows,
                 scheme.block_columns ? scheme.block_columns : found.columns,
                 {},
                 static_cast<std::uint8_t>(offset)};
  if (found.zero && !scheme.symmetric) set_zeros(grid, scheme, found);
  set_scales(matrix, grid);
  if (found.group_of) set_groups(matrix, scheme, found);
  return assembled(std::move(matrix));
}

// Rows and columns, which packed weights have a tensor for.
Shape shape_of(MatrixParts& parts, const TensorView& weight) {
  if (!weight.name.ends_with(kPacked)) {
    if (weight.shape.size() != 2 || weight.count() == 0)
      parts.refuse("expected a matrix, got shape " + shape_text(weight.shape));
    return weight.shape;
  }
  const TensorView& told = parts.at(".weight_shape", {DType::I64, DType::I32});
  parts.expect_shape(told, {2});
  Shape shape;
  for (std::int64_t i = 0; i < 2; ++i) {
    std::int64_t extent = static_cast<std::int32_t>(word_of(told, i));
    if (told.dtype == DType::I64) std::memcpy(&extent, told.data.data() + 8 * i, sizeof extent);
    if (extent < 1 || extent > (std::int64_t{1} << 29))
      parts.refuse(fmt::format("expected rows and columns in {}, got {}", told.name, extent));
    shape.push_back(extent);
  }
  if (weight.shape.size() != 2)
    parts.refuse("expected a matrix of words, got shape " + shape_text(weight.shape));
  return shape;
}

TensorView put_together(MatrixParts& parts, const TensorView& weight,
                        const std::vector<CompressedScheme>& schemes) {
  const Shape shape = shape_of(parts, weight);
  const TensorView& scale = parts.at(kScale, {DType::F32, DType::F16, DType::BF16});
  for (const char* of_activations :
       {".input_scale", ".input_zero_point", ".output_scale", ".output_zero_point"})
    parts.find(of_activations);
  const Found found{
      parts, weight, shape[0], shape[1], scale, parts.find(kZero), parts.find(kGroupOf)};
  std::string why;
  for (const CompressedScheme& scheme : schemes) {
    const std::string misfits = misfit(scheme, found);
    if (misfits.empty()) return matrix_of(scheme, found);
    why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", scheme.name, misfits);
  }
  parts.refuse("not quantised as config.json says; " + why);
}

// Companions of a weight that is not there, or not quantised.
void refuse_lonely(const TensorFile& tensors, const Assembly& assembly) {
  for (const TensorView& tensor : tensors.tensors())
    for (const char* suffix : {kScale, kZero, kGroupOf, ".weight_shape", ".weight_global_scale"}) {
      const std::string prefix = without_suffix(tensor.name, suffix);
      if (prefix.empty() || assembly.used.contains(tensor.name)) continue;
      const TensorView* weight = tensors.find(prefix + ".weight");
      throw ModelError(
          fmt::format("[{}] tensor {}: expected quantised weights (I8, F8_E4M3, or packed) in "
                      "{}.weight, got {}",
                      tensors.path_of(tensor), quote(tensor.name), prefix,
                      weight ? name_of(weight->dtype) : "none"));
    }
}

TensorFile read(const TensorFile& tensors, const ModelConfig& config) {
  const std::vector<CompressedScheme> schemes = schemes_of(config);
  Assembly assembly;
  for (const TensorView& tensor : tensors.tensors()) {
    std::string prefix = without_suffix(tensor.name, kPacked);
    if (prefix.empty() && (tensor.dtype == DType::I8 || tensor.dtype == DType::F8_E4M3))
      prefix = without_suffix(tensor.name, ".weight");
    if (prefix.empty()) continue;
    MatrixParts parts(tensors, tensor, prefix);
    TensorView view = put_together(parts, parts.at(tensor.name.substr(prefix.size())), schemes);
    assembly.add(parts, std::move(view));
  }
  refuse_lonely(tensors, assembly);
  return std::move(assembly).in(tensors);
}

}  // namespace

const QuantisedForm compressed_tensors_form = {"compressed-tensors", check_schemes, read,
                                               scheme_notes};

}  // namespace mezo
