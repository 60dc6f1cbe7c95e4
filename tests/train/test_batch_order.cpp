#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "core/train/batch_order.h"

using namespace mezo;

namespace {

std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> values) {
  std::sort(values.begin(), values.end());
  return values;
}

std::vector<std::uint32_t> first(std::uint32_t n) {
  std::vector<std::uint32_t> values(n);
  std::iota(values.begin(), values.end(), 0u);
  return values;
}

}  // namespace

TEST_CASE("a permutation holds every place once and depends on seed and epoch") {
  for (const std::uint32_t n : {0u, 1u, 2u, 3u, 1000u})
    CHECK(sorted(permutation(7, 0, n)) == first(n));
  CHECK(permutation(7, 0, 100) == permutation(7, 0, 100));
  CHECK(permutation(7, 0, 100) != permutation(8, 0, 100));
  CHECK(permutation(7, 0, 100) != permutation(7, 1, 100));
}

TEST_CASE("every place is as likely as any other") {
  std::vector<int> where(4, 0);  // of element 0
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const auto order = permutation(seed, 0, 4);
    ++where[static_cast<std::size_t>(std::find(order.begin(), order.end(), 0u) - order.begin())];
  }
  for (const int count : where) CHECK(std::abs(count - 1000) < 140);  // five standard deviations
}

TEST_CASE("batches lay the epochs end to end") {
  BatchOrder order(3, 5, 3);
  std::vector<std::uint32_t> seen;
  for (std::uint64_t step = 0; step < 5; ++step)
    for (const std::uint32_t i : order.batch(step)) seen.push_back(i);
  REQUIRE(seen.size() == 15);
  for (std::uint32_t epoch = 0; epoch < 3; ++epoch)
    CHECK(std::vector<std::uint32_t>(seen.begin() + epoch * 5, seen.begin() + epoch * 5 + 5) ==
          permutation(3, epoch, 5));
}

TEST_CASE(
    "a batch larger than the data takes several epochs, and any step can be asked for first") {
  BatchOrder order(3, 4, 10);
  const auto batch = order.batch(7);
  REQUIRE(batch.size() == 10);
  BatchOrder other(3, 4, 10);
  other.batch(0);
  CHECK(other.batch(7) == batch);
  CHECK(BatchOrder(3, 1, 4).batch(2) == std::vector<std::uint32_t>{0, 0, 0, 0});
}
