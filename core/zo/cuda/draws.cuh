#pragma once
// What a block of 8 elements is given by chance: directions, and the bits of stochastic rounding.
// The definitions are direction.h's and rounding.h's; this is how threads come by them.
#include "core/zo/cuda/weights.cuh"
#include "core/zo/rounding.h"

namespace mezo {
namespace {

// philox() with its round keys at hand.
__device__ PhiloxBlock draw(const Weights& w, const PhiloxBlock& counter) {
  std::uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{philox_m0} * c0, p1 = std::uint64_t{philox_m1} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ w.round_keys[round].low;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ w.round_keys[round].high;
    c3 = static_cast<std::uint32_t>(p0);
  }
  return {c0, c1, c2, c3};
}

template <Storage S>
__device__ float rounded(float value, std::uint32_t draw16) {
  const std::uint32_t bits = __float_as_uint(value);
  if constexpr (S == Storage::bfloat16)
    return __uint_as_float(stochastic_bf16(bits, draw16));
  else if constexpr (S == Storage::bfloat16_8)
    return __uint_as_float(stochastic_bf16_8(bits, draw16));
  else
    return __half2float(__ushort_as_half(stochastic_fp16(bits, draw16)));
}

// rounding.h's functions on 8 elements. For finite values that stay finite, bf16 is an addition and
// a mask; only where one of the 8 is or becomes infinite is the whole definition needed.
template <Storage S>
__device__ void round_block(const PhiloxBlock& draws, float* theta) {
  if constexpr (S == Storage::bfloat16 || S == Storage::bfloat16_8) {
    float quick[block_elements];
    bool finite = true;
#pragma unroll
    for (std::uint32_t k = 0; k < block_elements; ++k) {
      const std::uint32_t draw16 = draw16_of(draws, k), bits = __float_as_uint(theta[k]);
      quick[k] = __uint_as_float(S == Storage::bfloat16 ? (bits + draw16) & 0xFFFF0000u
                                                        : (bits + (draw16 >> 8)) & 0xFFFFFF00u);
      finite = finite && fabsf(quick[k]) <= 3.4028234664e38f;
    }
    if (finite) {
#pragma unroll
      for (int k = 0; k < block_elements; ++k) theta[k] = quick[k];
      return;
    }
  }
#pragma unroll
  for (std::uint32_t k = 0; k < block_elements; ++k)
    theta[k] = rounded<S>(theta[k], draw16_of(draws, k));
}

template <class Out>
__device__ Out as(float value) {
  if constexpr (std::is_same_v<Out, float>)
    return value;
  else if constexpr (std::is_same_v<Out, __half>)
    return __float2half_rn(value);
  else
    return __float2bfloat16_rn(value);
}

// A value that a stream reads, rounded stochastically.
template <class Out>
__device__ Out dithered(float value, std::uint32_t draw16) {
  if constexpr (std::is_same_v<Out, float>)
    return value;
  else if constexpr (std::is_same_v<Out, __half>)
    return __ushort_as_half(stochastic_fp16(__float_as_uint(value), draw16));
  else
    return __ushort_as_bfloat16(
        static_cast<unsigned short>(stochastic_bf16(__float_as_uint(value), draw16) >> 16));
}

// The block of Philox that the 8 elements from `first` share.
__device__ PhiloxBlock block_of(const Weights& w, std::uint32_t step, std::uint32_t probe,
                                std::uint64_t first) {
  return draw(w, philox_counter(first / 8, step, probe, Purpose::direction));
}

__device__ void gaussians(const PhiloxBlock& block, const std::uint32_t* table, float* z) {
#pragma unroll
  for (std::uint32_t i = 0; i < block_elements; ++i)
    z[i] = __uint_as_float(gaussian_bits(draw16_of(block, i), table));
}

// The directions of the 8 elements from `first`, a multiple of 8.
template <Distribution D>
__device__ void directions(const Weights& w, std::uint32_t step, std::uint32_t probe,
                           std::uint64_t first, const std::uint32_t* table, float* z) {
  if constexpr (D == Distribution::gaussian) {
    gaussians(block_of(w, step, probe, first), table, z);
  } else {
    const PhiloxBlock block = draw(w, philox_counter(first / 128, step, probe, Purpose::signs));
    const std::uint32_t at = static_cast<std::uint32_t>(first % 128);
    const std::uint32_t word =
        at < 64 ? (at < 32 ? block[0] : block[1]) : (at < 96 ? block[2] : block[3]);
#pragma unroll
    for (std::uint32_t i = 0; i < block_elements; ++i)
      z[i] = __uint_as_float(rademacher_bits((word >> (at % 32 + i)) & 1u));
  }
}

template <Distribution D>
__device__ void load_table(const std::uint32_t* source, std::uint32_t* table) {
  if constexpr (D == Distribution::gaussian) {
    for (int i = threadIdx.x; i < 2048; i += blockDim.x) table[i] = source[i];
    __syncthreads();
  }
}

}  // namespace
}  // namespace mezo
