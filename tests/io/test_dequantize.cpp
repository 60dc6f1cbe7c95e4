#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/io/dequantize.h"
#include "core/io/float16.h"
#include "golden_files.h"
#include "random_blocks.h"

using namespace mezo;

namespace {

// In fp64, where q * d + m is exact.
double weight(DType type, const std::string& bytes, std::size_t i) {
  const auto block = static_cast<std::size_t>(bytes_of(type, 32));
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data()) + i / 32 * block;
  const auto half = [at](std::size_t offset) {
    const int bits = at[offset] | at[offset + 1] << 8, exponent = bits >> 10 & 31;
    const double size =
        std::ldexp((bits & 1023) | (exponent ? 1024 : 0), std::max(exponent, 1) - 25);
    return bits & 0x8000 ? -size : size;
  };
  const std::size_t j = i % 32, scales = type == DType::Q4_1 ? 4 : 2;
  if (type == DType::Q8_0) return half(0) * static_cast<int8_t>(at[scales + j]);
  const int q = at[scales + j % 16] >> (j < 16 ? 0 : 4) & 15;
  return type == DType::Q4_0 ? half(0) * (q - 8) : half(0) * q + half(2);
}

}  // namespace

TEST_CASE("bytes_of counts whole blocks and refuses others") {
  CHECK(bytes_of(DType::F32, 3) == 12);
  CHECK(bytes_of(DType::BF16, 0) == 0);
  CHECK(bytes_of(DType::Q4_0, 64) == 36);
  CHECK(bytes_of(DType::Q4_1, 64) == 40);
  CHECK(bytes_of(DType::Q8_0, 64) == 68);
  CHECK(contains(message_of<ModelError>([] { bytes_of(DType::Q4_0, 33); }), "Q4_0, got 33"));
  CHECK(contains(message_of<ModelError>([] { bytes_of(DType::F32, -1); }), "got -1"));
  CHECK_THROWS_AS(bytes_of(DType::F64, std::numeric_limits<int64_t>::max()), ModelError);
}

TEST_CASE("element_count multiplies without overflow") {
  const int64_t big = int64_t{1} << 40;
  CHECK(element_count({}) == 1);
  CHECK(element_count(std::vector<int64_t>{3, 0, 5}) == 0);
  CHECK_FALSE(element_count(std::vector<int64_t>{big, big}));
  CHECK_FALSE(element_count(std::vector<int64_t>{-1}));
}

TEST_CASE("float64 is rounded to the nearest float32, as IEEE 754 has it") {
  const double half_step = std::ldexp(1.0, -24);
  const double from[] = {0.1, -2.5, 1 + half_step, 1 + 3 * half_step, 1e300, -1e-60};
  const float expected[] = {0x1.99999ap-4f, -2.5f, 1, 1 + 0x1p-22f, INFINITY, -0.0f};
  float to[6];
  dequantize(DType::F64, reinterpret_cast<const std::byte*>(from), 6, to);
  for (int i = 0; i < 6; ++i)
    CHECK(std::bit_cast<uint32_t>(to[i]) == std::bit_cast<uint32_t>(expected[i]));
}

TEST_CASE("a type that holds no weights is refused by its name") {
  float out[4];
  const std::byte zeros[32] = {};
  CHECK(
      contains(message_of<ModelError>([&] { dequantize(DType::I64, zeros, 4, out); }), "got I64"));
  const TensorView ids{"position_ids", DType::I64, {4}, zeros};
  const std::string text = message_of<ModelError>([&] { dequantize(ids, out); });
  CHECK(contains(text, "\"position_ids\""));
  CHECK(contains(text, "got I64"));
}

TEST_CASE("blocks with an infinite or NaN scale give what arithmetic gives") {
  float out[32];
  Bytes block(18, std::byte{0x80});  // q = 0, then 8: weights of -8 and 0
  block[0] = std::byte{0x00};
  block[1] = std::byte{0x7c};
  dequantize(DType::Q4_0, block.data(), 32, out);
  CHECK(out[0] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(out[16]));
  block[1] = std::byte{0x7e};
  dequantize(DType::Q4_0, block.data(), 32, out);
  CHECK(std::isnan(out[0]));
}

TEST_CASE("Q4_1 rounds the sum of an exact product and the minimum") {
  // d = 1 + 2^-10 and m = 32768: 3 d + m and 15 d + m have more than 24 bits and round to nearest.
  Bytes block(20, std::byte{0xf3});
  const uint16_t d = 0x3c01, m = 0x7800;
  std::memcpy(block.data(), &d, 2);
  std::memcpy(block.data() + 2, &m, 2);
  float out[32];
  dequantize(DType::Q4_1, block.data(), 32, out);
  CHECK(double{out[0]} == 32771.00390625);  // 32771.0029296875, whose ulp is 2^-8
  CHECK(double{out[31]} == 32783.015625);   // 32783.0146484375
}

TEST_CASE("data need not be aligned") {
  Bytes bytes(1 + 34, std::byte{2});
  bytes[1] = std::byte{0x00};
  bytes[2] = std::byte{0x3c};
  float out[32];
  dequantize(DType::Q8_0, bytes.data() + 1, 32, out);
  CHECK(out[31] == 2.0f);
  dequantize(DType::F32, bytes.data() + 3, 8, out);
  CHECK(std::bit_cast<uint32_t>(out[7]) == 0x02020202u);
}

TEST_CASE("blocks of every scale are fp64's weights rounded once") {
  for (const DType type : {DType::Q4_0, DType::Q4_1, DType::Q8_0}) {
    constexpr int64_t count = 32 * 40000;
    const std::string bytes = random_blocks(type, count, 7);
    std::vector<float> out(count);
    dequantize(type, reinterpret_cast<const std::byte*>(bytes.data()), count, out.data());
    bool equal = true;
    for (std::size_t i = 0; i < out.size(); ++i)
      equal = equal && out[i] == static_cast<float>(weight(type, bytes, i));
    CHECK(equal);
  }
}

TEST_CASE("16-bit results are the fp32 ones rounded to nearest, at any count") {
  std::vector<DType> types(std::begin(quantised_types), std::end(quantised_types));
  types.insert(types.end(), {DType::F32, DType::F16, DType::BF16});
  for (const DType type : types)
    for (int64_t count : {0, 32, 96, 1024, 1056, 5120}) {
      const bool blocks = block_size(type) > 1;
      count = count / block_size(type) * block_size(type);
      const std::string bytes = blocks ? random_blocks(type, count + block_size(type), 5)
                                       : random_blocks(DType::Q4_0, 32 * (count + 32), 5);
      const auto* source = reinterpret_cast<const std::byte*>(bytes.data());
      const auto n = static_cast<std::size_t>(count);
      std::vector<float> wide(n + 1);
      std::vector<uint16_t> half(n + 1, 0xABCD), brain(n + 1, 0xABCD);
      dequantize(type, source, count, wide.data());
      dequantize(type, source, count, DType::F16, half.data());
      dequantize(type, source, count, DType::BF16, brain.data());
      bool equal = true;
      for (std::size_t i = 0; i < n; ++i)
        equal = equal && half[i] == fp32_to_fp16(wide[i]) && brain[i] == fp32_to_bf16(wide[i]);
      CHECK(equal);
      CHECK(half[n] == 0xABCD);
      CHECK(brain[n] == 0xABCD);
    }
  float out[4];
  const std::byte zeros[16] = {};
  CHECK(contains(message_of<ModelError>([&] { dequantize(DType::F32, zeros, 4, DType::I16, out); }),
                 "F32, F16 or BF16, got I16"));
}
