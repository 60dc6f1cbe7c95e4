#pragma once
// Blocks of quantised weights, one weight after the other: what dequantize() on the CPU and the
// GPU's kernel (core/forward/dequantize.cu) both compute, so that they give the same bits.
// constexpr, because a CUDA compiler takes such functions for either side.
//
// A block is `weights` in `bytes`, and runs of 16 share a scale. It is opened once; run(r), for r
// in 0 .. weights / 16 - 1, gives a function of i in 0 .. 15 that is weight 16 r + i. Products and
// sums are fp32 with one rounding each; the files that include this are compiled without
// contraction.

#include <bit>
#include <cstdint>

#include "core/each_target.h"
#include "core/io/dtype.h"
#include "core/io/float16.h"

namespace mezo {

constexpr int run_length = 16;  // weights

constexpr int word_at(const std::uint8_t* bytes) { return bytes[0] | bytes[1] << 8; }
// The fp16 at `bytes`, which need not be aligned.
constexpr float scale_at(const std::uint8_t* bytes) {
  return fp16_to_fp32(static_cast<std::uint16_t>(word_at(bytes)));
}

template <DType>
struct Block;

template <>
struct Block<DType::Q4_0> {
  static constexpr int weights = 32, bytes = 18;  // fp16 d, 32 nibbles
  float d;
  const std::uint8_t* q;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block)), q(block + 2) {}
  constexpr auto run(int r) const {
    return [d = d, q = q, shift = 4 * r](int i) {
      return static_cast<float>((q[i] >> shift & 15) - 8) * d;
    };
  }
};

template <>
struct Block<DType::Q4_1> {
  static constexpr int weights = 32, bytes = 20;  // fp16 d, fp16 m, 32 nibbles
  float d, m;
  const std::uint8_t* q;

  constexpr explicit Block(const std::uint8_t* block)
      : d(scale_at(block)), m(scale_at(block + 2)), q(block + 4) {}
  constexpr auto run(int r) const {
    return [d = d, m = m, q = q, shift = 4 * r](int i) {
      return static_cast<float>(q[i] >> shift & 15) * d + m;
    };
  }
};

template <>
struct Block<DType::Q5_0> {
  static constexpr int weights = 32, bytes = 22;  // fp16 d, 32 upper bits, 32 nibbles
  float d;
  const std::uint8_t *high, *q;

  constexpr explicit Block(const std::uint8_t* block)
      : d(scale_at(block)), high(block + 2), q(block + 6) {}
  constexpr auto run(int r) const {
    return [d = d, bits = word_at(high + 2 * r), q = q, shift = 4 * r](int i) {
      return static_cast<float>(((q[i] >> shift & 15) | (bits >> i & 1) << 4) - 16) * d;
    };
  }
};

template <>
struct Block<DType::Q5_1> {
  static constexpr int weights = 32, bytes = 24;  // fp16 d, fp16 m, 32 upper bits, 32 nibbles
  float d, m;
  const std::uint8_t *high, *q;

  constexpr explicit Block(const std::uint8_t* block)
      : d(scale_at(block)), m(scale_at(block + 2)), high(block + 4), q(block + 8) {}
  constexpr auto run(int r) const {
    return [d = d, m = m, bits = word_at(high + 2 * r), q = q, shift = 4 * r](int i) {
      return static_cast<float>((q[i] >> shift & 15) | (bits >> i & 1) << 4) * d + m;
    };
  }
};

template <>
struct Block<DType::Q8_0> {
  static constexpr int weights = 32, bytes = 34;  // fp16 d, 32 signed bytes
  float d;
  const std::uint8_t* q;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block)), q(block + 2) {}
  constexpr auto run(int r) const {
    return [d = d, q = q + run_length * r](int i) {
      return static_cast<float>(static_cast<std::int8_t>(q[i])) * d;
    };
  }
};

// Super-blocks of 256: each run's scale, and the minimum that is taken off, is a small multiple of
// the block's. Q2_K, Q3_K and the upper bits of Q6_K: 32 bytes hold two bits each of eight runs,
// the lowest bits those of the first two.

template <>
struct Block<DType::Q2_K> {
  static constexpr int weights = 256, bytes = 84;  // 16 scales, 256 pairs of bits, fp16 d, fp16 m
  float d, m;
  const std::uint8_t* block;

  constexpr explicit Block(const std::uint8_t* block)
      : d(scale_at(block + 80)), m(scale_at(block + 82)), block(block) {}
  constexpr auto run(int r) const {
    const float scale = d * static_cast<float>(block[r] & 15),
                minimum = m * static_cast<float>(block[r] >> 4);
    return [=, q = block + 16 + r / 8 * 32 + r % 2 * run_length, shift = r / 2 % 4 * 2](int i) {
      return static_cast<float>(q[i] >> shift & 3) * scale - minimum;
    };
  }
};

template <>
struct Block<DType::Q3_K> {
  static constexpr int weights = 256, bytes = 110;  // 256 third bits, 256 pairs, 16 scales, fp16 d
  float d;
  const std::uint8_t* block;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block + 108)), block(block) {}
  constexpr auto run(int r) const {
    const std::uint8_t* six = block + 96;  // bits of each scale: four in 8 bytes, two in 4
    const int low = six[r % 8] >> r / 8 * 4 & 15, high = six[8 + r % 4] >> r / 4 * 2 & 3;
    const float scale = d * static_cast<float>((low | high << 4) - 32);
    return [=, q = block + 32 + r / 8 * 32 + r % 2 * run_length, shift = r / 2 % 4 * 2,
            third = block + r % 2 * run_length, bit = r / 2](int i) {
      return static_cast<float>(((q[i] >> shift & 3) | (third[i] >> bit & 1) << 2) - 4) * scale;
    };
  }
};

// Q4_K and Q5_K: 12 bytes hold a scale and a minimum of 6 bits for each of 8 pairs of runs.
struct ScaleAndMinimum {
  float scale, minimum;

  constexpr ScaleAndMinimum(const std::uint8_t* six, int pair, float d, float m)
      : scale(d * static_cast<float>(bits(six, pair, 0))),
        minimum(m * static_cast<float>(bits(six, pair, 4))) {}

 private:
  // The upper two bits of the last four lie above the first four.
  static constexpr int bits(const std::uint8_t* six, int pair, int first) {
    if (pair < 4) return six[first + pair] & 63;
    return (six[4 + pair] >> first & 15) | six[first + pair - 4] >> 6 << 4;
  }
};

template <>
struct Block<DType::Q4_K> {
  static constexpr int weights = 256, bytes = 144;  // fp16 d, fp16 m, 8 scales, 256 nibbles
  float d, m;
  const std::uint8_t* block;

  constexpr explicit Block(const std::uint8_t* block)
      : d(scale_at(block)), m(scale_at(block + 2)), block(block) {}
  constexpr auto run(int r) const {
    return [s = ScaleAndMinimum(block + 4, r / 2, d, m),
            q = block + 16 + r / 4 * 32 + r % 2 * run_length, shift = r / 2 % 2 * 4](int i) {
      return static_cast<float>(q[i] >> shift & 15) * s.scale - s.minimum;
    };
  }
};

template <>
struct Block<DType::Q5_K> {
  // fp16 d, fp16 m, 8 scales, 256 fifth bits, 256 nibbles
  static constexpr int weights = 256, bytes = 176;
  float d, m;
  const std::uint8_t* block;

  constexpr explicit Block(const std::uint8_t* block)
      : d(scale_at(block)), m(scale_at(block + 2)), block(block) {}
  constexpr auto run(int r) const {
    return [s = ScaleAndMinimum(block + 4, r / 2, d, m),
            q = block + 48 + r / 4 * 32 + r % 2 * run_length, shift = r / 2 % 2 * 4,
            fifth = block + 16 + r % 2 * run_length, bit = r / 2](int i) {
      return static_cast<float>((q[i] >> shift & 15) | (fifth[i] >> bit & 1) << 4) * s.scale -
             s.minimum;
    };
  }
};

template <>
struct Block<DType::Q6_K> {
  // 256 nibbles, 256 pairs of upper bits, 16 signed scales, fp16 d
  static constexpr int weights = 256, bytes = 210;
  float d;
  const std::uint8_t* block;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block + 208)), block(block) {}
  constexpr auto run(int r) const {
    const float scale = d * static_cast<float>(static_cast<std::int8_t>(block[192 + r]));
    return [=, q = block + r / 8 * 64 + r % 4 * run_length, shift = r / 4 % 2 * 4,
            high = block + 128 + r / 8 * 32 + r % 2 * run_length, pair = r / 2 % 4 * 2](int i) {
      return static_cast<float>(((q[i] >> shift & 15) | (high[i] >> pair & 3) << 4) - 32) * scale;
    };
  }
};

// IQ4_NL and IQ4_XS: what a nibble stands for.
constexpr float uneven_level(int nibble) {
  constexpr std::int8_t levels[] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                    1,    13,   25,  38,  53,  69,  89,  113};
  return static_cast<float>(levels[nibble]);
}

template <>
struct Block<DType::IQ4_NL> {
  static constexpr int weights = 32, bytes = 18;  // fp16 d, 32 nibbles
  float d;
  const std::uint8_t* q;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block)), q(block + 2) {}
  constexpr auto run(int r) const {
    return [d = d, q = q, shift = 4 * r](int i) { return uneven_level(q[i] >> shift & 15) * d; };
  }
};

template <>
struct Block<DType::IQ4_XS> {
  // fp16 d, 8 pairs of upper and 8 nibbles of lower bits of scales, 256 nibbles
  static constexpr int weights = 256, bytes = 136;
  float d;
  const std::uint8_t* block;

  constexpr explicit Block(const std::uint8_t* block) : d(scale_at(block)), block(block) {}
  constexpr auto run(int r) const {
    const int part = r / 2, low = block[4 + part / 2] >> part % 2 * 4 & 15,
              high = word_at(block + 2) >> 2 * part & 3;
    const float scale = d * static_cast<float>((low | high << 4) - 32);
    return [=, q = block + 8 + part * run_length, shift = r % 2 * 4](int i) {
      return uneven_level(q[i] >> shift & 15) * scale;
    };
  }
};

constexpr float float_at(const std::uint8_t* bytes) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(word_at(bytes)) |
                              static_cast<std::uint32_t>(word_at(bytes + 2)) << 16);
}

// Blocks of folders that other libraries quantised: products are rounded to the type that these
// compute them in, and scales are stored in it.
struct InFp32 {
  static constexpr int bytes = 4;
  static constexpr float scale(const std::uint8_t* at) { return float_at(at); }
  static constexpr float rounded(float x) { return x; }
};
struct InFp16 {
  static constexpr int bytes = 2;
  static constexpr float scale(const std::uint8_t* at) { return scale_at(at); }
  static constexpr float rounded(float x) { return fp16_to_fp32(fp32_to_fp16(x)); }
};
struct InBf16 {
  static constexpr int bytes = 2;
  static constexpr float scale(const std::uint8_t* at) {
    return bf16_to_fp32(static_cast<std::uint16_t>(word_at(at)));
  }
  static constexpr float rounded(float x) { return bf16_to_fp32(fp32_to_bf16(x)); }
};
// bitsandbytes' 8 bits: the scale is the row's largest magnitude, which 127 stands for.
struct InFp32By127 : InFp32 {
  static constexpr float rounded(float x) { return x * 0.007874015718698502f; }
};

// What a nibble stands for: bitsandbytes' NormalFloat and its floats of 4 bits.
constexpr float normal_float_level(int nibble) {
  constexpr float levels[] = {-1.0f,        -0.6961928f,  -0.52507305f,  -0.3949175f,
                              -0.28444138f, -0.18477343f, -0.091050036f, 0.0f,
                              0.0795803f,   0.1609302f,   0.2461123f,    0.33791524f,
                              0.44070983f,  0.562617f,    0.72295684f,   1.0f};
  return levels[nibble];
}
constexpr float small_float_level(int nibble) {
  constexpr float levels[] = {
      0.0f, 0.0052083333f,  0.6666667f,  1.0f,  0.33333334f,  0.5f,  0.16666667f,  0.25f,
      0.0f, -0.0052083333f, -0.6666667f, -1.0f, -0.33333334f, -0.5f, -0.16666667f, -0.25f};
  return levels[nibble];
}

// A level times the block's largest magnitude, which is fp32 whatever the product is rounded to;
// nibbles lie as in Q4_0, not as in bitsandbytes' files.
template <float (*level)(int), class In>
struct LevelBlock {
  static constexpr int weights = 64, bytes = 36;  // fp32 largest, 64 nibbles
  float largest;
  const std::uint8_t* q;

  constexpr explicit LevelBlock(const std::uint8_t* block)
      : largest(float_at(block)), q(block + 4) {}
  constexpr auto run(int r) const {
    return [largest = largest, q = q + r / 2 * run_length, shift = r % 2 * 4](int i) {
      return In::rounded(level(q[i] >> shift & 15) * largest);
    };
  }
};

// (q - zero) * scale, nibbles as in Q4_0.
template <class In>
struct NibbleBlock {
  static constexpr int weights = 32, bytes = In::bytes + 17;  // scale, zero, 32 nibbles
  float scale;
  int zero;
  const std::uint8_t* q;

  constexpr explicit NibbleBlock(const std::uint8_t* block)
      : scale(In::scale(block)), zero(block[In::bytes]), q(block + In::bytes + 1) {}
  constexpr auto run(int r) const {
    return [scale = scale, zero = zero, q = q, shift = 4 * r](int i) {
      return In::rounded(static_cast<float>((q[i] >> shift & 15) - zero) * scale);
    };
  }
};

template <class In>
struct ByteBlock {
  static constexpr int weights = 32, bytes = In::bytes + 33;  // scale, zero, 32 bytes from 0 on
  float scale;
  int zero;
  const std::uint8_t* q;

  constexpr explicit ByteBlock(const std::uint8_t* block)
      : scale(In::scale(block)), zero(block[In::bytes]), q(block + In::bytes + 1) {}
  constexpr auto run(int r) const {
    return [scale = scale, zero = zero, q = q + run_length * r](int i) {
      return In::rounded(static_cast<float>(q[i] - zero) * scale);
    };
  }
};

// E4M3 without infinities (Micikevicius et al. 2022, arXiv 2209.05433), exact; the largest code of
// each sign is NaN. A subnormal is a multiple of 2^-9.
constexpr float float8_value(int code) {
  const int magnitude = code & 127, exponent = magnitude >> 3, mantissa = magnitude & 7;
  const auto normal = static_cast<std::uint32_t>(magnitude + (120 << 3)) << 20;
  const auto small = std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-9f);
  const std::uint32_t finite = exponent == 0 ? small : normal;
  const std::uint32_t bits = magnitude == 127 ? 0x7fc00000u : finite;
  return std::bit_cast<float>(bits | static_cast<std::uint32_t>(code & 128) << 24);
}

template <class In>
struct Float8Block {
  static constexpr int weights = 32, bytes = In::bytes + 32;  // scale, 32 floats
  float scale;
  const std::uint8_t* q;

  constexpr explicit Float8Block(const std::uint8_t* block)
      : scale(In::scale(block)), q(block + In::bytes) {}
  constexpr auto run(int r) const {
    return [scale = scale, q = q + run_length * r](int i) {
      return In::rounded(float8_value(q[i]) * scale);
    };
  }
};

template <>
struct Block<DType::NF4_F32> : LevelBlock<normal_float_level, InFp32> {
  using LevelBlock::LevelBlock;
};
template <>
struct Block<DType::NF4_F16> : LevelBlock<normal_float_level, InFp16> {
  using LevelBlock::LevelBlock;
};
template <>
struct Block<DType::NF4_BF16> : LevelBlock<normal_float_level, InBf16> {
  using LevelBlock::LevelBlock;
};
template <>
struct Block<DType::FP4_F32> : LevelBlock<small_float_level, InFp32> {
  using LevelBlock::LevelBlock;
};
template <>
struct Block<DType::FP4_F16> : LevelBlock<small_float_level, InFp16> {
  using LevelBlock::LevelBlock;
};
template <>
struct Block<DType::FP4_BF16> : LevelBlock<small_float_level, InBf16> {
  using LevelBlock::LevelBlock;
};
template <>
struct Block<DType::INT4_F32> : NibbleBlock<InFp32> {
  using NibbleBlock::NibbleBlock;
};
template <>
struct Block<DType::INT4_F16> : NibbleBlock<InFp16> {
  using NibbleBlock::NibbleBlock;
};
template <>
struct Block<DType::INT4_BF16> : NibbleBlock<InBf16> {
  using NibbleBlock::NibbleBlock;
};
template <>
struct Block<DType::INT8_F32> : ByteBlock<InFp32> {
  using ByteBlock::ByteBlock;
};
template <>
struct Block<DType::INT8_F16> : ByteBlock<InFp16> {
  using ByteBlock::ByteBlock;
};
template <>
struct Block<DType::INT8_BF16> : ByteBlock<InBf16> {
  using ByteBlock::ByteBlock;
};
template <>
struct Block<DType::FP8_F32> : Float8Block<InFp32> {
  using Float8Block::Float8Block;
};
template <>
struct Block<DType::FP8_F16> : Float8Block<InFp16> {
  using Float8Block::Float8Block;
};
template <>
struct Block<DType::FP8_BF16> : Float8Block<InBf16> {
  using Float8Block::Float8Block;
};
template <>
struct Block<DType::INT8_BNB> : ByteBlock<InFp32By127> {
  using ByteBlock::ByteBlock;
};

template <DType... types>
struct AnyOf {
  // Calls visitor.operator()<type>() where `type` is one of them; false where it is not.
  template <class Visitor>
  static constexpr MEZO_INLINE bool visit(DType type, const Visitor& visitor) {
    return ((type == types && (visitor.template operator()<types>(), true)) || ...);
  }
};

using BlockTypes =
    AnyOf<DType::Q4_0, DType::Q4_1, DType::Q5_0, DType::Q5_1, DType::Q8_0, DType::Q2_K, DType::Q3_K,
          DType::Q4_K, DType::Q5_K, DType::Q6_K, DType::IQ4_NL, DType::IQ4_XS, DType::NF4_F32,
          DType::NF4_F16, DType::NF4_BF16, DType::FP4_F32, DType::FP4_F16, DType::FP4_BF16,
          DType::INT4_F32, DType::INT4_F16, DType::INT4_BF16, DType::INT8_F32, DType::INT8_F16,
          DType::INT8_BF16, DType::INT8_BNB, DType::FP8_F32, DType::FP8_F16, DType::FP8_BF16>;

}  // namespace mezo
