#pragma once
// ggml's blocks of 32 weights, one weight after the other: what dequantize() on the CPU and the
// GPU's kernel (core/forward/dequantize.cu) both compute, so that they give the same bits.
// constexpr, because a CUDA compiler takes such functions for either side.
//
// A block is opened once; first(i) and second(i) are its weights i and 16 + i, for i in 0 .. 15:
// a byte of two nibbles holds one of each. Products and sums are fp32 with one rounding each; the
// files that include this are compiled without contraction.

#include <cstdint>

#include "core/io/dtype.h"
#include "core/io/float16.h"

namespace mezo {

constexpr int half_block = 16;  // weights

// The fp16 at `bytes`, which need not be aligned.
constexpr float scale_at(const std::uint8_t* bytes) {
  return fp16_to_fp32(static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8));
}

template <DType>
struct Block;

template <>
struct Block<DType::Q4_0> {
  static constexpr int bytes = 18;  // fp16 d, 32 nibbles
  float d;
  const std::uint8_t* q;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block)), q(block + 2) {}
  constexpr float first(int i) const { return static_cast<float>((q[i] & 15) - 8) * d; }
  constexpr float second(int i) const { return static_cast<float>((q[i] >> 4) - 8) * d; }
};

template <>
struct Block<DType::Q4_1> {
  static constexpr int bytes = 20;  // fp16 d, fp16 m, 32 nibbles
  float d, m;
  const std::uint8_t* q;

  constexpr explicit Block(const std::uint8_t* block)
      : d(scale_at(block)), m(scale_at(block + 2)), q(block + 4) {}
  constexpr float first(int i) const { return static_cast<float>(q[i] & 15) * d + m; }
  constexpr float second(int i) const { return static_cast<float>(q[i] >> 4) * d + m; }
};

template <>
struct Block<DType::Q8_0> {
  static constexpr int bytes = 34;  // fp16 d, 32 signed bytes
  float d;
  const std::uint8_t* q;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block)), q(block + 2) {}
  constexpr float first(int i) const { return weight(q[i]); }
  constexpr float second(int i) const { return weight(q[half_block + i]); }

 private:
  constexpr float weight(std::uint8_t byte) const {
    return static_cast<float>(static_cast<std::int8_t>(byte)) * d;
  }
};

}  // namespace mezo
