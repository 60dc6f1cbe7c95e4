// Compiled with -ffp-contract=off, so that what is written here is what every machine computes.
#include "core/io/dequantize.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "core/error.h"
#include "core/io/float16.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

static_assert(std::endian::native == std::endian::little, "weight files are little-endian");

constexpr int64_t kBlock = 32;

uint16_t load16(const std::byte* source) {
  uint16_t value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

// The low nibbles are the first 16 weights of a block, the high nibbles the other 16.
uint32_t low_nibble(std::byte packed) { return std::to_integer<uint32_t>(packed) & 0x0f; }
uint32_t high_nibble(std::byte packed) { return std::to_integer<uint32_t>(packed) >> 4; }

void dequantize_q4_0(const std::byte* source, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kBlock, source += 18) {
    const float d = fp16_to_fp32(load16(source));
    for (int64_t j = 0; j < kBlock / 2; ++j) {
      const std::byte packed = source[2 + j];
      out[i + j] = static_cast<float>(static_cast<int32_t>(low_nibble(packed)) - 8) * d;
      out[i + j + kBlock / 2] =
          static_cast<float>(static_cast<int32_t>(high_nibble(packed)) - 8) * d;
    }
  }
}

void dequantize_q4_1(const std::byte* source, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kBlock, source += 20) {
    const float d = fp16_to_fp32(load16(source));
    const float m = fp16_to_fp32(load16(source + 2));
    for (int64_t j = 0; j < kBlock / 2; ++j) {
      const std::byte packed = source[4 + j];
      const float low = static_cast<float>(static_cast<int32_t>(low_nibble(packed))) * d;
      const float high = static_cast<float>(static_cast<int32_t>(high_nibble(packed))) * d;
      out[i + j] = low + m;
      out[i + j + kBlock / 2] = high + m;
    }
  }
}

void dequantize_q8_0(const std::byte* source, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kBlock, source += 34) {
    const float d = fp16_to_fp32(load16(source));
    for (int64_t j = 0; j < kBlock; ++j) {
      out[i + j] = static_cast<float>(std::to_integer<int8_t>(source[2 + j])) * d;
    }
  }
}

}  // namespace

void dequantize(DType dtype, const std::byte* source, int64_t count, float* out) {
  const int64_t bytes = bytes_of(dtype, count);
  switch (dtype) {
    case DType::F32:
      if (bytes != 0) std::memcpy(out, source, static_cast<size_t>(bytes));
      return;
    case DType::F16:
      for (int64_t i = 0; i < count; ++i) out[i] = fp16_to_fp32(load16(source + 2 * i));
      return;
    case DType::BF16:
      for (int64_t i = 0; i < count; ++i) out[i] = bf16_to_fp32(load16(source + 2 * i));
      return;
    case DType::Q4_0:
      return dequantize_q4_0(source, count, out);
    case DType::Q4_1:
      return dequantize_q4_1(source, count, out);
    case DType::Q8_0:
      return dequantize_q8_0(source, count, out);
    default:
      throw ModelError(fmt::format(
          "[dequantize] expected F32, F16, BF16, Q4_0, Q4_1 or Q8_0, got {}", name_of(dtype)));
  }
}

void dequantize(const TensorView& tensor, float* out) {
  if (!is_weight(tensor.dtype)) {
    throw ModelError(
        fmt::format("[dequantize] tensor {}: expected F32, F16, BF16, Q4_0, Q4_1 or Q8_0, got {}",
                    quote(tensor.name), name_of(tensor.dtype)));
  }
  dequantize(tensor.dtype, tensor.data.data(), tensor.count(), out);
}

}  // namespace mezo
