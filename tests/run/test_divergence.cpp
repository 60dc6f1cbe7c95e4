#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/run/divergence.h"
#include "core/run/loss_resolution.h"

using namespace mezo;

namespace {

constexpr double chance = 0.6931;

// Steps of one loss, from the next on; the step at which the watch said that it diverged, or 0.
struct Run {
  DivergenceWatch watch{chance};
  std::uint32_t step = 0;

  std::uint32_t go(int steps, double loss, bool moved = true) {
    for (int i = 0; i < steps; ++i) {
      ++step;
      watch.see({step, loss, std::isfinite(loss), moved});
      if (watch.diverged()) return step;
    }
    return 0;
  }
};

bool has(const std::optional<std::string>& text, const char* part) {
  return text && text->find(part) != text->npos;
}

}  // namespace

TEST_CASE("a run diverges at its tenth step in a row that is not finite") {
  Run run;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(run.go(9, nan) == 0);
  CHECK(run.go(1, 0.5) == 0);
  CHECK(run.go(20, nan) == 20);
  CHECK(has(run.watch.diverged(), "the loss was not finite for 10 steps in a row"));
  CHECK(run.watch.ever_applied());
}

TEST_CASE("a finite loss far above the best and chance is a divergence, single losses are none") {
  Run run;
  CHECK(run.go(50, 0.68) == 0);
  for (int i = 0; i < 20; ++i) {  // a batch now and then that the model has no idea of
    CHECK(run.go(1, 1e9) == 0);
    CHECK(run.go(3, 0.6) == 0);
  }
  const std::uint32_t last = run.step;
  // The median of 15 is high from the eighth of them on (fewer where the past has some), and so for
  // ten.
  const std::uint32_t at = run.go(40, 14.3);
  CHECK(at > last + 10);
  CHECK(at <= last + 17);
  CHECK(has(run.watch.diverged(), "14.3"));
  CHECK(has(run.watch.diverged(), "0.6"));
  CHECK(run.watch.last_good() > 50);
  CHECK(run.watch.last_good() <= last);
}

TEST_CASE("what started badly may stay so, and what rises a little too") {
  Run bad;
  CHECK(bad.go(500, 9.0) == 0);
  Run little;
  CHECK(little.go(50, 0.3) == 0);
  CHECK(little.go(500, 0.6) == 0);
}

TEST_CASE("back at chance after having learned is a divergence") {
  Run run;
  CHECK(run.go(30, 1.0) == 0);
  CHECK(run.go(100, 0.4) == 0);
  const std::uint32_t before = run.step;
  const std::uint32_t at = run.go(300, 1.05);
  CHECK(at > before + 100);
  CHECK(at < before + 120);
  CHECK(has(run.watch.diverged(), "chance is 0.6931"));
}

TEST_CASE("losses that no perturbation changes: converged is well, constant at chance is not") {
  Run converged;
  CHECK(converged.go(30, 0.5) == 0);
  CHECK(converged.go(500, 0.0, false) == 0);
  Run constant;
  CHECK(constant.go(20, 1.04) == 0);
  CHECK(constant.go(200, chance, false) == 120);
  CHECK(has(constant.watch.diverged(), "no perturbation changed the loss for 100 steps"));
  Run lower_before;
  CHECK(lower_before.go(30, 0.2) == 0);
  CHECK(lower_before.go(200, 0.4, false) == 130);
  Run counting;  // an objective of counts: most steps change nothing
  CHECK(counting.go(30, 0.5, true) == 0);
  CHECK(counting.go(500, 0.5, false) == 0);
}

TEST_CASE("differences of rounding are told from differences of the loss") {
  std::vector<Slope> rounding, real, counted(20, Slope{0.5, 0});
  for (int i = 0; i < 20; ++i) {
    rounding.push_back({0.7, (i % 2 ? 1 : -1) * 1e-7 / 1e-9});  // one spacing or so, over epsilon
    real.push_back({0.7, 3.0});
  }
  CHECK(lost_in_the_loss(rounding, 1e-9).find("1e-09") != std::string::npos);
  CHECK(lost_in_the_loss(real, 1e-3) == "");
  CHECK(lost_in_the_loss(real, 1e-5) == "");  // 3e-5 of 0.7
  CHECK(lost_in_the_loss(real, 1e-7) != "");  // 3e-7: two or three spacings
  CHECK(lost_in_the_loss(counted, 1e-12) == "");
  CHECK(lost_in_the_loss({real.data(), 5}, 1e-7) == "");  // too few to say
}
