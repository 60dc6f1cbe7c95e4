#pragma once
// Stored weights as a GPU's threads hold them: blocks of 8 consecutive elements, those that share
// one block of Philox, which is 16 bytes of a 16-bit matrix. Used by the kernels of this folder;
// all of it has internal linkage, since each of them is compiled apart.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

#include "core/zo/kernel.h"

namespace mezo {
namespace {

constexpr int block_elements = 8;

struct Weights {
  void* words;
  std::uint8_t* residual;
  PhiloxKey round_keys[10];  // of Philox: as arguments they are operands, not additions
};

template <Storage S>
struct Block {  // 8 stored elements, as 16-byte (fp32: two) and 8-byte accesses
  using Word = std::conditional_t<S == Storage::float32, float, std::uint16_t>;
  alignas(16) Word words[block_elements];
  alignas(8) std::uint8_t residual[block_elements];
};

template <Storage S>
__device__ float widened(typename Block<S>::Word word, std::uint8_t residual) {
  if constexpr (S == Storage::float32)
    return word;
  else if constexpr (S == Storage::float16)
    return __half2float(__ushort_as_half(word));
  else
    return __uint_as_float((static_cast<std::uint32_t>(word) << 16) |
                           (S == Storage::bfloat16_8 ? std::uint32_t{residual} << 8 : 0u));
}

template <Storage S>
__device__ void narrow(float value, typename Block<S>::Word& word, std::uint8_t& residual) {
  if constexpr (S == Storage::float32) {
    word = value;
  } else if constexpr (S == Storage::float16) {
    word = __half_as_ushort(__float2half_rn(value));  // a value that fp16 holds
  } else {
    word = static_cast<std::uint16_t>(__float_as_uint(value) >> 16);
    residual = static_cast<std::uint8_t>(__float_as_uint(value) >> 8);
  }
}

// Which elements of a tensor a block of 8 holds: those of [begin, end) from `first`. `whole`: all
// 8, and every pointer to them is aligned.
struct Place {
  std::int64_t first, begin, end;
  bool whole;
};

// 16 bytes at a time; stored weights are read and written once a step, so they pass by the caches
// and leave them to what the next matrix product reads.
template <class T, int Bytes>
__device__ void copy_in(T* to, const void* from) {
  if constexpr (Bytes % 16 == 0) {
#pragma unroll
    for (int v = 0; v < Bytes / 16; ++v)
      reinterpret_cast<uint4*>(to)[v] = __ldcs(static_cast<const uint4*>(from) + v);
  } else {
    *reinterpret_cast<uint2*>(to) = __ldcs(static_cast<const uint2*>(from));
  }
}

template <class T, int Bytes>
__device__ void copy_out(void* to, const T* from) {
  if constexpr (Bytes % 16 == 0) {
#pragma unroll
    for (int v = 0; v < Bytes / 16; ++v)
      __stcs(static_cast<uint4*>(to) + v, reinterpret_cast<const uint4*>(from)[v]);
  } else {
    __stcs(static_cast<uint2*>(to), *reinterpret_cast<const uint2*>(from));
  }
}

template <Storage S>
__device__ void load(const Weights& w, const Place& at, Block<S>& b) {
  using Word = typename Block<S>::Word;
  const Word* words = static_cast<const Word*>(w.words);
  if (at.whole) {
    copy_in<Word, sizeof b.words>(b.words, words + at.first);
    if constexpr (S == Storage::bfloat16_8)
      copy_in<std::uint8_t, block_elements>(b.residual, w.residual + at.first);
    return;
  }
#pragma unroll
  for (int k = 0; k < block_elements; ++k) {
    const bool in = at.first + k >= at.begin && at.first + k < at.end;
    b.words[k] = in ? words[at.first + k] : Word(0);
    if constexpr (S == Storage::bfloat16_8)
      b.residual[k] = in ? w.residual[at.first + k] : std::uint8_t{0};
  }
}

template <Storage S>
__device__ void store(const Weights& w, const Place& at, const Block<S>& b) {
  using Word = typename Block<S>::Word;
  Word* words = static_cast<Word*>(w.words);
  if (at.whole) {
    copy_out<Word, sizeof b.words>(words + at.first, b.words);
    if constexpr (S == Storage::bfloat16_8)
      copy_out<std::uint8_t, block_elements>(w.residual + at.first, b.residual);
    return;
  }
#pragma unroll
  for (int k = 0; k < block_elements; ++k)
    if (at.first + k >= at.begin && at.first + k < at.end) {
      words[at.first + k] = b.words[k];
      if constexpr (S == Storage::bfloat16_8) w.residual[at.first + k] = b.residual[k];
    }
}

}  // namespace
}  // namespace mezo
