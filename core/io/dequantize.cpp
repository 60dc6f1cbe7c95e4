// Compiled with -ffp-contract=off, so that what is written here is what every machine computes.
#include "core/io/dequantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/each_target.h"
#include "core/error.h"
#include "core/io/blocks.h"
#include "core/io/float16.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

static_assert(std::endian::native == std::endian::little, "weight files are little-endian");

constexpr int64_t kChunk =
    1024;  // weights that lie in the first-level cache on their way to 16 bits

MEZO_INLINE uint16_t load16(const std::byte* source) {
  uint16_t value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

MEZO_INLINE double load64(const std::byte* source) {
  double value;
  std::memcpy(&value, source, sizeof value);
  return value;
}

// The loop over a run is what the compiler turns into vector instructions.
template <DType Type>
MEZO_INLINE void open_blocks(const std::byte* source, int64_t count, float* __restrict__ out) {
  constexpr int weights = Block<Type>::weights;
  const auto* bytes = reinterpret_cast<const uint8_t*>(source);
  for (int64_t i = 0; i < count; i += weights, bytes += Block<Type>::bytes) {
    const Block<Type> block(bytes);
    for (int r = 0; r < weights / run_length; ++r) {
      const auto weight = block.run(r);
#pragma GCC unroll 1
      for (int j = 0; j < run_length; ++j) out[i + r * run_length + j] = weight(j);
    }
  }
}

MEZO_INLINE void widen_into(DType dtype, const std::byte* source, int64_t count, float* out) {
  switch (dtype) {
    case DType::F16:
      for (int64_t i = 0; i < count; ++i) out[i] = fp16_to_fp32(load16(source + 2 * i));
      return;
    case DType::BF16:
      for (int64_t i = 0; i < count; ++i) out[i] = bf16_to_fp32(load16(source + 2 * i));
      return;
    case DType::F64:
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(load64(source + 8 * i));
      return;
    case DType::F32:
      std::memcpy(out, source, static_cast<size_t>(count) * sizeof(float));
      return;
    default:
      BlockTypes::visit(
          dtype, [&]<DType Type>()
                     __attribute__((always_inline)) { open_blocks<Type>(source, count, out); });
  }
}

MEZO_INLINE void round_into(const float* values, int64_t count, DType to, uint16_t* out) {
  if (to == DType::BF16)
    for (int64_t i = 0; i < count; ++i) out[i] = fp32_to_bf16(values[i]);
  else
    for (int64_t i = 0; i < count; ++i) out[i] = fp32_to_fp16(values[i]);
}

MEZO_EACH_TARGET __attribute__((noinline)) void widen(DType dtype, const std::byte* source,
                                                      int64_t count, float* out) {
  widen_into(dtype, source, count, out);
}

// `bytes`: of a chunk.
MEZO_EACH_TARGET __attribute__((noinline)) void widen_and_round(DType dtype,
                                                                const std::byte* source,
                                                                int64_t count, int64_t bytes,
                                                                DType to, uint16_t* out) {
  alignas(64) float values[kChunk];
  for (int64_t i = 0; i < count; i += kChunk, source += bytes) {
    const int64_t n = std::min(kChunk, count - i);
    widen_into(dtype, source, n, values);
    round_into(values, n, to, out + i);
  }
}

void check(DType dtype, int64_t count) {
  if (!is_weight(dtype))
    throw ModelError(
        fmt::format("[dequantize] expected one of {}, got {}", weight_types(), name_of(dtype)));
  static_cast<void>(bytes_of(dtype, count));  // throws
}

}  // namespace

void dequantize(DType dtype, const std::byte* source, int64_t count, float* out) {
  check(dtype, count);
  if (count > 0) widen(dtype, source, count, out);
}

void dequantize(DType dtype, const std::byte* source, int64_t count, DType to, void* out) {
  if (to == DType::F32) return dequantize(dtype, source, count, static_cast<float*>(out));
  check(dtype, count);
  if (to != DType::F16 && to != DType::BF16)
    throw ModelError(
        fmt::format("[dequantize] expected to write F32, F16 or BF16, got {}", name_of(to)));
  widen_and_round(dtype, source, count, bytes_of(dtype, kChunk), to, static_cast<uint16_t*>(out));
}

void dequantize(const TensorView& tensor, float* out) {
  if (!is_weight(tensor.dtype)) {
    throw ModelError(fmt::format("[dequantize] tensor {}: expected one of {}, got {}",
                                 quote(tensor.name), weight_types(), name_of(tensor.dtype)));
  }
  dequantize(tensor.dtype, tensor.data.data(), tensor.count(), out);
}

}  // namespace mezo
