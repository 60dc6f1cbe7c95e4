#pragma once
// A matrix of small integers or 8-bit floats with a scale, and perhaps a zero point, for each group
// of a row's columns, however a library lays these out; and the tensor that a loader reads of it:
// blocks that stay quantised (core/io/blocks.h) where the groups are whole blocks, otherwise the
// same numbers in the type that their products are rounded to. Used by the readers of
// core/checkpoint/quantised_folder.h. Numbers are made when they are asked for.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/io/tensor_file.h"

namespace mezo {

// Writes the codes of `count` rows from `first` on, [count, columns], a byte each from 0 on.
using Codes = std::function<void(std::int64_t first, std::int64_t count, std::uint8_t* codes)>;

struct ScaledMatrix {
  std::string name;
  std::int64_t rows = 0, columns = 0;
  DType blocks = DType::INT8_F32;  // INT4_…, INT8_… or FP8_…
  std::span<const std::byte> data =
      {};  // of the largest tensor, which is given back once it was read

  Codes codes = {};

  std::vector<std::int32_t> group_of = {};  // of each column, from 0 on
  std::int64_t groups = 1;
  // Those of one row, [groups]. `zeros` are in the codes' terms; floats have none.
  std::function<void(std::int64_t row, float* scales, std::uint8_t* zeros)> scales = {};
};

// The codes of a matrix that has one in each byte: of 8-bit floats, or of signed integers, which
// are made to count from 0 on (by adding 128, which then is a symmetric matrix' zero).
using Codes = std::function<void(std::int64_t first, std::int64_t count, std::uint8_t* codes)>;
Codes float8_codes(const TensorView& weight);
Codes signed_codes(const TensorView& weight);

// Element i of a tensor of F32, F16, BF16 or F8_E8M0, a power of two.
float scale_of(const TensorView& tensor, std::int64_t i);

// Scales in row-major order, each of `block_rows` rows and `size` columns (the last ones of fewer);
// `zero` is asked with row and group, or empty where all are `zero_of_all`.
struct ScaleGrid {
  const TensorView& scale;
  std::int64_t block_rows, size;
  std::function<std::uint8_t(std::int64_t row, std::int64_t group)> zero = {};
  std::uint8_t zero_of_all = 0;
};
void set_scales(ScaledMatrix& matrix, const ScaleGrid& grid);

// Of each column, where groups of `size` columns follow each other.
std::vector<std::int32_t> groups_in_order(std::int64_t columns, std::int64_t size);

// `kind` (INT4_F32, INT8_F32 or FP8_F32) with products in `product`: F32, F16 or BF16.
DType blocks_in(DType kind, DType product);

// Whether it stays in blocks.
bool stays_quantised(const ScaledMatrix& matrix);

// A view whose assemble() makes whole rows.
TensorView assembled(ScaledMatrix matrix);

}  // namespace mezo
