#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "core/io/float16.h"
#include "golden_files.h"

using namespace mezo;

TEST_CASE("every fp16 value widens as numpy widens it") {
  uint64_t digest = 0xcbf29ce484222325u;
  for (uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7fff) > 0x7c00) continue;
    const uint32_t bits = fp16_to_fp32_bits(static_cast<uint16_t>(half));
    for (int shift = 0; shift < 32; shift += 8) {
      digest = (digest ^ ((bits >> shift) & 0xff)) * 0x100000001b3u;
    }
  }
  CHECK(digest == std::stoull(read_text(golden("fp16_to_fp32.fnv")), nullptr, 16));
}

TEST_CASE("fp32 narrows to fp16 and bf16 as numpy and gguf narrow it") {
  const std::string records = read_text(golden("fp32_to_16.bin"));
  REQUIRE(records.size() % 8 == 0);
  int wrong = 0;
  for (size_t at = 0; at < records.size(); at += 8) {
    uint32_t bits;
    uint16_t half, brain;
    std::memcpy(&bits, &records[at], 4);
    std::memcpy(&half, &records[at + 4], 2);
    std::memcpy(&brain, &records[at + 6], 2);
    wrong += fp32_bits_to_fp16(bits) != half;
    wrong += fp32_bits_to_bf16(bits) != brain;
  }
  CHECK(records.size() / 8 > 5000);
  CHECK(wrong == 0);
}

TEST_CASE("narrowing a widened fp16 or bf16 gives it back") {
  int wrong = 0;
  for (uint32_t i = 0; i < 0x10000; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const bool fp16_nan = (bits & 0x7fff) > 0x7c00;
    const bool bf16_nan = (bits & 0x7fff) > 0x7f80;
    wrong += fp32_bits_to_fp16(fp16_to_fp32_bits(bits)) != (fp16_nan ? bits | 0x200 : bits);
    wrong += fp32_bits_to_bf16(bf16_to_fp32_bits(bits)) != (bf16_nan ? bits | 0x40 : bits);
  }
  CHECK(wrong == 0);
}

TEST_CASE("fp16 ties go to even over the whole range") {
  int wrong = 0;
  for (uint32_t i = 0; i < 0x7bff; ++i) {
    const auto low = static_cast<uint16_t>(i);
    const auto high = static_cast<uint16_t>(i + 1);
    // Exact in fp32: neighbours differ by one unit of 11 bits.
    const float middle = (fp16_to_fp32(low) + fp16_to_fp32(high)) / 2;
    wrong += fp32_to_fp16(middle) != ((low & 1) ? high : low);
    wrong += fp32_to_fp16(std::nextafter(middle, 0.0f)) != low;
    wrong += fp32_to_fp16(std::nextafter(middle, 1e30f)) != high;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a NaN stays a NaN with its sign when it is narrowed") {
  for (const uint32_t bits : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffc01234u}) {
    CHECK((fp32_bits_to_fp16(bits) & 0x7fffu) > 0x7c00u);
    CHECK((fp32_bits_to_bf16(bits) & 0x7fffu) > 0x7f80u);
    CHECK((fp32_bits_to_fp16(bits) >> 15) == (bits >> 31));
    CHECK((fp32_bits_to_bf16(bits) >> 15) == (bits >> 31));
  }
  CHECK(fp16_to_fp32_bits(0x7c01) == 0x7fc02000u);
  CHECK(fp16_to_fp32_bits(0xfe00) == 0xffc00000u);
}
