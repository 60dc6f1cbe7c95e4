#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/io/dequantize.h"
#include "golden_files.h"

using namespace mezo;

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
