// The batch order is drawn like z and pinned like it; what else it promises is tested in
// tests/train.
#include <doctest/doctest.h>

#include <array>

#include "core/train/batch_order.h"
#include "golden_lines.h"

using namespace mezo;

TEST_CASE("batch order: permutations are what they always were") {
  const auto lines = golden_lines("orders.tsv");
  REQUIRE(lines.size() == 7);
  for (const auto& f : lines) {
    const auto order = permutation(std::stoull(f[0]), static_cast<std::uint32_t>(std::stoul(f[1])),
                                   static_cast<std::uint32_t>(f.size() - 2));
    for (std::size_t i = 0; i < order.size(); ++i) CHECK(order[i] == std::stoul(f[i + 2]));
  }
}

TEST_CASE("batch order: all permutations of four are equally likely") {
  constexpr int draws = 24000;
  std::array<int, 256> count{};
  for (std::uint32_t epoch = 0; epoch < draws; ++epoch) {
    const auto o = permutation(1, epoch, 4);
    ++count[o[0] * 64 + o[1] * 16 + o[2] * 4 + o[3]];
  }
  double chi_square = 0;
  int seen = 0;
  for (const int c : count)
    if (c > 0) {
      ++seen;
      chi_square += (c - draws / 24.0) * (c - draws / 24.0) / (draws / 24.0);
    }
  CHECK(seen == 24);
  CHECK(chi_square < 49.7);  // 23 degrees of freedom, one in a thousand
}
