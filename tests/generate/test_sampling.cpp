#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/generate/sampling.h"

using namespace mezo;

namespace {

// Shares of the tokens by many evenly spaced draws.
std::vector<double> shares(const std::vector<float>& logits, const Sampling& sampling) {
  constexpr int draws = 20000;
  std::vector<double> of(logits.size(), 0);
  for (int i = 0; i < draws; ++i)
    of[static_cast<std::size_t>(sample(logits, sampling, (i + 0.5) / draws))] += 1.0 / draws;
  return of;
}

void check_shares(const std::vector<double>& got, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(got[i] == doctest::Approx(expected[i]).epsilon(0.001));
}

// Probabilities 0.5, 0.125, 0.25, 0.125.
const std::vector<float> four_logits = {std::log(8.0f), std::log(2.0f), std::log(4.0f),
                                        std::log(2.0f)};

}  // namespace

TEST_CASE("tokens are drawn by their probabilities") {
  check_shares(shares(four_logits, {.temperature = 1}), {0.5, 0.125, 0.25, 0.125});
}

TEST_CASE("a temperature of two takes square roots of the probabilities") {
  const double a = std::sqrt(8), b = std::sqrt(2), sum = a + b + 2 + b;
  check_shares(shares(four_logits, {.temperature = 2}), {a / sum, b / sum, 2 / sum, b / sum});
}

TEST_CASE("top_k keeps the likeliest, and all that are as likely as the last of them") {
  check_shares(shares(four_logits, {.temperature = 1, .top_k = 2}), {2.0 / 3, 0, 1.0 / 3, 0});
  check_shares(shares(four_logits, {.temperature = 1, .top_k = 3}), {0.5, 0.125, 0.25, 0.125});
  check_shares(shares(four_logits, {.temperature = 1, .top_k = 99}), {0.5, 0.125, 0.25, 0.125});
}

TEST_CASE("top_p keeps the fewest likeliest that together have it") {
  check_shares(shares(four_logits, {.temperature = 1, .top_p = 0.6}), {2.0 / 3, 0, 1.0 / 3, 0});
  check_shares(shares(four_logits, {.temperature = 1, .top_p = 0.4}), {1, 0, 0, 0});
  check_shares(shares(four_logits, {.temperature = 1, .top_p = 1e-9}), {1, 0, 0, 0});
  // Of what top_k left, as in transformers: 0.6 of 2/3 and 1/3 is the first alone.
  check_shares(shares(four_logits, {.temperature = 1, .top_k = 2, .top_p = 0.6}), {1, 0, 0, 0});
}

TEST_CASE("a token that is impossible is never drawn") {
  const std::vector<float> some = {-INFINITY, 0, -INFINITY, 0};
  check_shares(shares(some, {.temperature = 5}), {0, 0.5, 0, 0.5});
}

TEST_CASE("draws are even, and those of other prompts, places, steps and seeds are others") {
  double sum = 0;
  std::vector<int> tenths(10, 0);
  for (int place = 0; place < 5000; ++place) {
    const double draw = draw_of(7, 3, place, 0);
    CHECK(draw == draw_of(7, 3, place, 0));
    sum += draw;
    ++tenths[static_cast<std::size_t>(draw * 10)];
  }
  CHECK(sum / 5000 == doctest::Approx(0.5).epsilon(0.03));
  for (const int count : tenths) CHECK(std::abs(count - 500) < 110);  // five deviations of 21
  CHECK(draw_of(7, 3, 0, 0) != draw_of(8, 3, 0, 0));
  CHECK(draw_of(7, 3, 0, 0) != draw_of(7, 4, 0, 0));
  CHECK(draw_of(7, 3, 0, 0) != draw_of(7, 3, 1, 0));
  CHECK(draw_of(7, 3, 0, 0) != draw_of(7, 3, 0, 1));
  CHECK(draw_of(7, 3, 0, 0) != draw_of(7, 3 + (std::uint64_t{1} << 32), 0, 0));
}
