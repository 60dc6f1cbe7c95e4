#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

#include "core/zo/schedule.h"

using namespace mezo;

TEST_CASE("the learning rate stays, or falls linearly towards zero") {
  Schedule s{0.5, Decay::constant, 0, 8};
  for (const std::uint32_t step : {0u, 3u, 7u}) CHECK(learning_rate_at(s, step) == 0.5);
  s.decay = Decay::linear;
  CHECK(learning_rate_at(s, 0) == 0.5);
  CHECK(learning_rate_at(s, 2) == 0.375);
  CHECK(learning_rate_at(s, 4) == 0.25);
  CHECK(learning_rate_at(s, 7) == 0.0625);
  CHECK(learning_rate_at(s, 8) == 0.0);
}

TEST_CASE("cosine is half a cosine, to the precision of libm's") {
  const Schedule s{2.0, Decay::cosine, 0, 1000};
  for (std::uint32_t step = 0; step <= 1000; ++step)
    CHECK(std::abs(learning_rate_at(s, step) - (1.0 + std::cos(M_PI * step / 1000.0))) < 1e-15);
}

TEST_CASE("a warm-up rises linearly to the rate, which then falls over what is left") {
  Schedule s{1.0, Decay::linear, 4, 12};
  for (std::uint32_t step = 0; step < 4; ++step)
    CHECK(learning_rate_at(s, step) == (step + 1) / 4.0);
  CHECK(learning_rate_at(s, 4) == 1.0);
  CHECK(learning_rate_at(s, 8) == 0.5);
  CHECK(learning_rate_at(s, 12) == 0.0);
  s.decay = Decay::cosine;
  CHECK(learning_rate_at(s, 4) == 1.0);
  CHECK(learning_rate_at(s, 8) == doctest::Approx(0.5));
  s = {1.0, Decay::linear, 20, 12};  // a warm-up longer than the run never reaches the rate
  CHECK(learning_rate_at(s, 11) == 0.6);
}
