#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "core/zo/direction.h"
#include "core/zo/kernel.h"
#include "golden_lines.h"
#include "kernel_cases.h"

using namespace mezo;

TEST_CASE("Philox gives the known answers of Random123") {
  constexpr std::uint32_t ones = 0xFFFFFFFFu;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) ==
        PhiloxBlock{0x6627E8D5u, 0xE169C58Du, 0xBC57AC4Cu, 0x9B00DBD8u});
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        PhiloxBlock{0x408F276Du, 0x41C83B0Eu, 0xA20BC7C6u, 0x6D5451FDu});
  CHECK(philox({0x243F6A88u, 0x85A308D3u, 0x13198A2Eu, 0x03707344u}, {0xA4093822u, 0x299F31D0u}) ==
        PhiloxBlock{0xD16CFE09u, 0x94FDCCEBu, 0x5001E420u, 0x24126EA1u});
}

TEST_CASE("z is what it always was, by the reference and by the kernel") {
  const auto lines = golden_lines("directions.tsv");
  REQUIRE(lines.size() == 70);
  for (const auto& f : lines) {
    const PhiloxKey key = philox_key(std::stoull(f[1]), bytes_of_hex(f[0]));
    const std::uint32_t step = word(f[2]), probe = word(f[3]);
    const std::uint64_t first = std::stoull(f[4]);
    float reference[8], theta[8] = {}, plus[8], minus[8];
    fill_reference(Distribution::gaussian, {key, step, probe}, first, 8, reference);
    advance_and_perturb(theta, 8, first, key, {}, {step, probe, 1.0f}, plus, minus);
    for (int i = 0; i < 8; ++i) {
      CAPTURE(first + static_cast<std::uint64_t>(i));
      const std::uint32_t expected = word(f[5 + static_cast<std::size_t>(i)], 16);
      CHECK(std::bit_cast<std::uint32_t>(reference[i]) == expected);
      CHECK(std::bit_cast<std::uint32_t>(plus[i]) == expected);
      CHECK(std::bit_cast<std::uint32_t>(minus[i]) == (expected ^ 0x80000000u));
    }
  }
}

TEST_CASE("signs are what they always were, by the reference and by the kernel") {
  const auto lines = golden_lines("signs.tsv");
  REQUIRE(lines.size() == 42);
  for (const auto& f : lines) {
    const PhiloxKey key = philox_key(std::stoull(f[1]), bytes_of_hex(f[0]));
    const std::uint32_t step = word(f[2]), probe = word(f[3]);
    const std::uint64_t first = std::stoull(f[4]);
    CAPTURE(first);
    float reference[40], theta[40] = {}, read[40];
    fill_reference(Distribution::rademacher, {key, step, probe}, first, 40, reference);
    const Stream stream{static_cast<std::int32_t>(probe), 1.0f};
    WeightPass pass;
    pass.key = key;
    pass.distribution = Distribution::rademacher;
    pass.step = step;
    pass.streams = {&stream, 1};
    void* const out = read;
    run_range(pass, {Storage::float32, theta, nullptr}, first, 40, {}, {&out, 1});
    for (std::size_t i = 0; i < 40; ++i) {
      const float expected = f[5][i] == '-' ? -1.0f : 1.0f;
      CHECK(reference[i] == expected);
      CHECK(read[i] == expected);
    }
  }
}

TEST_CASE("magnitudes increase and have variance one") {
  double squares = 0;
  for (int i = 0; i < 2048; ++i) {
    const float m = std::bit_cast<float>(half_normal_bits()[i]);
    CHECK(m > 0);
    if (i > 0) CHECK(half_normal_bits()[i] > half_normal_bits()[i - 1]);
    squares += double{m} * double{m};
  }
  CHECK(std::abs(squares / 2048 - 1) < 1e-8);
  CHECK(std::bit_cast<float>(half_normal_bits()[2047]) == doctest::Approx(3.67).epsilon(0.01));
}

TEST_CASE("any part of a tensor can be drawn alone") {
  const Direction d{philox_key(3, "part"), 5, 1};
  std::vector<float> all(400), part(400);
  fill_reference(Distribution::gaussian, d, 0, 400, all.data());
  for (const std::int64_t first : {1, 7, 8, 31, 200})
    for (const std::int64_t n : {1, 2, 9, 100}) {
      fill_reference(Distribution::gaussian, d, static_cast<std::uint64_t>(first), n, part.data());
      for (std::int64_t i = 0; i < n; ++i)
        REQUIRE(part[static_cast<std::size_t>(i)] == all[static_cast<std::size_t>(first + i)]);
    }
}
