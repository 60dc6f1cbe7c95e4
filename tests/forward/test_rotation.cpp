// Rotary positions: against one number at a time, and against the operations of transformers.
#include <ATen/ops/arange.h>
#include <ATen/ops/pow.h>
#include <doctest/doctest.h>

#include "core/forward/rotation.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

const std::vector<std::int64_t> places = {0, 1, 2, 7, 0, 3, 511, 4};

at::Tensor positions() { return at::tensor(places, at::kLong); }

// Element by element, in double precision.
at::Tensor plain(const at::Tensor& x, const Rotary& rotary) {
  const std::size_t pairs = rotary.frequencies.size();
  at::Tensor out = x.clone();
  for (std::int64_t r = 0; r < x.size(0); ++r)
    for (std::int64_t h = 0; h < x.size(1); ++h)
      for (std::size_t i = 0; i < pairs; ++i) {
        const bool halves = rotary.pairs == Rotary::Pairs::halves;
        const auto at_a = static_cast<std::int64_t>(halves ? i : 2 * i);
        const std::int64_t at_b = at_a + (halves ? static_cast<std::int64_t>(pairs) : 1);
        const double angle = static_cast<double>(places[static_cast<std::size_t>(r)]) *
                             double{rotary.frequencies[i]};
        const double a = x[r][h][at_a].item<double>(), b = x[r][h][at_b].item<double>();
        out[r][h][at_a] = rotary.amplitude * (a * std::cos(angle) - b * std::sin(angle));
        out[r][h][at_b] = rotary.amplitude * (b * std::cos(angle) + a * std::sin(angle));
      }
  return out;
}

// As transformers has it for LLaMA, all on one device.
at::Tensor transformers_rotation(const at::Tensor& x, std::int64_t width, double base) {
  const at::Tensor exponent = at::arange(0, width, 2, at::kFloat).div_(width);
  const at::Tensor angles =
      positions().to(at::kFloat).unsqueeze(1) * at::pow(base, exponent).reciprocal_().unsqueeze(0);
  const at::Tensor c = angles.cos().unsqueeze(1).to(x.scalar_type()),
                   s = angles.sin().unsqueeze(1).to(x.scalar_type());
  const at::Tensor a = x.narrow(2, 0, width / 2), b = x.narrow(2, width / 2, width / 2);
  return at::cat({a * c - b * s, b * c + a * s}, 2);
}

}  // namespace

TEST_CASE("rotary positions are transformers' to the last bit, of every width, base and type") {
  for (std::int64_t width = 2; width <= 512; width += 2)
    for (const double base : {10000.0, 100000.0, 500000.0, 1e6}) {
      CAPTURE(width);
      const Rotary rotary{rotary_frequencies(width, base)};
      Rotation rotation(positions());
      for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
        const at::Tensor x =
            numbers({8, 1, width}, static_cast<std::uint64_t>(width)).mul(3).to(type);
        CHECK(rotation(x, rotary).equal(transformers_rotation(x, width, base)));
      }
    }
}

TEST_CASE(
    "rotary positions of either pairing, of a part of a head, and scaled, are the formula's") {
  const at::Tensor x = numbers({8, 3, 12}, 4);
  Rotation rotation(positions());  // one batch with all of them
  for (const auto pairs : {Rotary::Pairs::halves, Rotary::Pairs::interleaved})
    for (const std::int64_t width : {2, 6, 8, 12})
      for (const float amplitude : {1.0f, 1.25f}) {
        CAPTURE(width);
        CAPTURE(amplitude);
        Rotary rotary{rotary_frequencies(width, 50.0), pairs, amplitude};
        CHECK(difference(rotation(x, rotary), plain(x, rotary)) < 1e-4);
        rotary.frequencies.back() = 0;  // with an amplitude of 1 that pair stays as it is
        CHECK(difference(rotation(x, rotary), plain(x, rotary)) < 1e-4);
      }
}

TEST_CASE("two bases in one model do not mix, whatever the order of layers") {
  const at::Tensor x = numbers({8, 2, 8}, 5);
  const Rotary local{rotary_frequencies(8, 1e4)}, global{rotary_frequencies(8, 1e6)};
  Rotation both(positions());
  for (const Rotary* rotary : {&local, &local, &global, &local, &global})
    CHECK(both(x, *rotary).equal(Rotation(positions())(x, *rotary)));
  CHECK(!both(x, local).equal(both(x, global)));
}

TEST_CASE("heads that a rotation does not fit are refused") {
  Rotation rotation(positions());
  const Rotary rotary{rotary_frequencies(8, 1e4)};
  CHECK_THROWS_AS(rotation(numbers({8, 2, 6}, 1), rotary), std::logic_error);
  CHECK_THROWS_AS(rotation(numbers({7, 2, 8}, 1), rotary), std::logic_error);
  CHECK_THROWS_AS(rotation(numbers({8, 16}, 1), rotary), std::logic_error);
  CHECK_THROWS_AS(rotary_frequencies(7, 1e4), std::logic_error);
  CHECK_THROWS_AS(rotary_frequencies(0, 1e4), std::logic_error);
  CHECK_THROWS_AS(rotary_frequencies(8, 0), std::logic_error);
}
