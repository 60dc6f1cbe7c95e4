// Compiled with -ffp-contract=off: products are rounded as the libraries round them.
#include "core/checkpoint/scaled_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "core/io/blocks.h"

namespace mezo {

namespace {

constexpr std::int64_t kBlock = Block<DType::INT4_F32>::weights;
constexpr std::int64_t kRows = 64;  // at once, so that what lies across the rows is read once

bool is_float8(DType blocks) { return blocks >= DType::FP8_F32 && blocks <= DType::FP8_BF16; }
bool is_nibbles(DType blocks) { return blocks >= DType::INT4_F32 && blocks <= DType::INT4_BF16; }

// What products are rounded to.
DType product_of(DType blocks) {
  switch (blocks) {
    case DType::INT4_F16:
    case DType::INT8_F16:
    case DType::FP8_F16:
      return DType::F16;
    case DType::INT4_BF16:
    case DType::INT8_BF16:
    case DType::FP8_BF16:
      return DType::BF16;
    default:
      return DType::F32;
  }
}

template <DType type>
std::byte* write_number(float value, std::byte* out) {
  if constexpr (type == DType::F32) {
    std::memcpy(out, &value, sizeof value);
    return out + sizeof value;
  } else {
    const std::uint16_t word = type == DType::F16 ? fp32_to_fp16(value) : fp32_to_bf16(value);
    std::memcpy(out, &word, sizeof word);
    return out + sizeof word;
  }
}

struct Row {
  const std::uint8_t* codes;
  const std::vector<float>& scales;
  const std::vector<std::uint8_t>& zeros;
};

template <DType product>
std::byte* write_blocks(const ScaledMatrix& matrix, const Row& row, std::byte* out) {
  const bool nibbles = is_nibbles(matrix.blocks), floats = is_float8(matrix.blocks);
  for (std::int64_t c = 0; c < matrix.columns; c += kBlock) {
    const auto group = static_cast<std::size_t>(matrix.group_of[static_cast<std::size_t>(c)]);
    const std::uint8_t* codes = row.codes + c;
    out = write_number<product>(row.scales[group], out);  // exact: a scale is of that type
    if (!floats) *out++ = static_cast<std::byte>(row.zeros[group]);
    if (!nibbles) {
      std::memcpy(out, codes, kBlock);
      out += kBlock;
    } else {
      for (int i = 0; i < run_length; ++i)
        *out++ = static_cast<std::byte>(codes[i] | codes[i + run_length] << 4);
    }
  }
  return out;
}

template <DType product>
std::byte* write_products(const ScaledMatrix& matrix, const Row& row, std::byte* out) {
  const bool floats = is_float8(matrix.blocks), by_127 = matrix.blocks == DType::INT8_BNB;
  for (std::int64_t c = 0; c < matrix.columns; ++c) {
    const auto group = static_cast<std::size_t>(matrix.group_of[static_cast<std::size_t>(c)]);
    const float number =
        floats ? float8_value(row.codes[c]) : static_cast<float>(row.codes[c] - row.zeros[group]);
    const float value = number * row.scales[group];
    out = write_number<product>(by_127 ? InFp32By127::rounded(value) : value, out);
  }
  return out;
}

template <DType product>
std::byte* write_in(const ScaledMatrix& matrix, bool quantised, const Row& row, std::byte* out) {
  return quantised ? write_blocks<product>(matrix, row, out)
                   : write_products<product>(matrix, row, out);
}

std::byte* write_row(const ScaledMatrix& matrix, bool quantised, const Row& row, std::byte* out) {
  switch (product_of(matrix.blocks)) {
    case DType::F16:
      return write_in<DType::F16>(matrix, quantised, row, out);
    case DType::BF16:
      return write_in<DType::BF16>(matrix, quantised, row, out);
    default:
      return write_in<DType::F32>(matrix, quantised, row, out);
  }
}

void write_rows(const ScaledMatrix& matrix, bool quantised, std::int64_t first, std::int64_t count,
                std::byte* out) {
  const auto groups = static_cast<std::size_t>(matrix.groups);
  std::vector<std::uint8_t> codes(
      static_cast<std::size_t>(std::min(kRows, count) * matrix.columns));
  std::vector<float> scales(groups);
  std::vector<std::uint8_t> zeros(groups);
  for (std::int64_t begin = first; begin < first + count; begin += kRows) {
    const std::int64_t rows = std::min(kRows, first + count - begin);
    matrix.codes(begin, rows, codes.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      matrix.scales(begin + i, scales.data(), zeros.data());
      out = write_row(matrix, quantised, {codes.data() + i * matrix.columns, scales, zeros}, out);
    }
  }
}

}  // namespace

Codes float8_codes(const TensorView& weight) {
  return [data = weight.data, columns = weight.shape.back()](std::int64_t first, std::int64_t count,
                                                             std::uint8_t* codes) {
    std::memcpy(codes, data.data() + first * columns, static_cast<std::size_t>(count * columns));
  };
}

Codes signed_codes(const TensorView& weight) {
  return [as_they_lie = float8_codes(weight), columns = weight.shape.back()](
             std::int64_t first, std::int64_t count, std::uint8_t* codes) {
    as_they_lie(first, count, codes);
    for (std::int64_t i = 0; i < count * columns; ++i) codes[i] ^= 0x80;
  };
}

float scale_of(const TensorView& tensor, std::int64_t i) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(tensor.data.data());
  switch (tensor.dtype) {
    case DType::F32:
      return InFp32::scale(at + 4 * i);
    case DType::F16:
      return InFp16::scale(at + 2 * i);
    case DType::BF16:
      return InBf16::scale(at + 2 * i);
    case DType::F8_E8M0:
      return at[i] == 255 ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, at[i] - 127);
    default:
      throw std::logic_error("[scale_of] " + tensor.name);
  }
}

void set_scales(ScaledMatrix& matrix, const ScaleGrid& grid) {
  const std::int64_t groups = (matrix.columns + grid.size - 1) / grid.size;
  matrix.groups = groups;
  matrix.group_of = groups_in_order(matrix.columns, grid.size);
  matrix.scales = [scale = grid.scale, block_rows = grid.block_rows, zero = grid.zero,
                   of_all = grid.zero_of_all,
                   groups](std::int64_t row, float* scales, std::uint8_t* zeros) {
    for (std::int64_t g = 0; g < groups; ++g) {
      scales[g] = scale_of(scale, row / block_rows * groups + g);
      zeros[g] = zero ? zero(row, g) : of_all;
    }
  };
}

std::vector<std::int32_t> groups_in_order(std::int64_t columns, std::int64_t size) {
  std::vector<std::int32_t> groups(static_cast<std::size_t>(columns));
  for (std::int64_t c = 0; c < columns; ++c)
    groups[static_cast<std::size_t>(c)] = static_cast<std::int32_t>(c / size);
  return groups;
}

DType blocks_in(DType kind, DType product) {
  const int past = product == DType::F32 ? 0 : product == DType::F16 ? 1 : 2;
  return static_cast<DType>(static_cast<int>(kind) + past);
}

bool stays_quantised(const ScaledMatrix& matrix) {
  if (matrix.columns % kBlock != 0) return false;
  for (std::size_t c = 0; c < matrix.group_of.size(); ++c)
    if (matrix.group_of[c] != matrix.group_of[c - c % kBlock]) return false;
  return true;
}

TensorView assembled(ScaledMatrix matrix) {
  const bool quantised = stays_quantised(matrix);
  const std::int64_t columns = matrix.columns;
  TensorView view{matrix.name,
                  quantised ? matrix.blocks : product_of(matrix.blocks),
                  {matrix.rows, columns},
                  matrix.data};
  view.assemble = [matrix = std::move(matrix), quantised, columns](
                      std::int64_t first, std::int64_t count, std::byte* out) {
    if (first % columns != 0 || count % columns != 0)
      throw std::logic_error("[ScaledMatrix] " + matrix.name + ": not whole rows");
    write_rows(matrix, quantised, first / columns, count / columns, out);
  };
  return view;
}

}  // namespace mezo
