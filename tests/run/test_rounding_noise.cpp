#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/run/rounding_noise.h"
#include "core/zo/exact_weights.h"

using namespace mezo;

namespace {

constexpr std::int64_t rows = 64, columns = 64;

// The weights of N(0, 0.02) after so many updates of `size` each, kept in `storage`.
std::vector<float> trained(Storage storage, std::uint32_t steps, float size) {
  Declaration declaration;
  declaration.linear("matrix", columns, rows, false);
  ParameterStore store(declaration.parameters(), storage);
  std::vector<float> values(rows * columns);
  {  // z of another seed is as normal as any
    ParameterStore normal(declaration.parameters());
    normal.write({0}, values.data());
    ExactWeights drawn(normal, {true}, {99});
    drawn.push(0, {{0, 0, 0.02f}}, 0);
    drawn.apply_pending();
    normal.read({0}, values.data());
  }
  store.write({0}, values.data());
  ExactWeights weights(store, {true}, {1});
  for (std::uint32_t step = 0; step < steps; ++step)
    weights.push(step, {{step, 0, step % 2 ? size : -size}}, 0);
  weights.apply_pending();
  store.read({0}, values.data());
  return values;
}

double error(Storage storage, std::uint32_t steps, float size) {
  // What rounding at the start costs is no part of it: bfloat16 numbers stay what they are.
  const std::vector<float> start = trained(Storage::bfloat16, 0, size);
  const std::vector<float> exact_start = trained(Storage::float32, 0, size);
  const std::vector<float> exact = trained(Storage::float32, steps, size);
  const std::vector<float> kept = trained(storage, steps, size);
  double errors = 0, squares = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double moved = static_cast<double>(exact[i]) - exact_start[i];
    errors += std::pow(kept[i] - start[i] - moved, 2);
    squares += std::pow(exact[i], 2);
  }
  return std::sqrt(errors / squares);
}

}  // namespace

TEST_CASE("the noise that is said of plain bfloat16 is what its updates make") {
  struct Run {
    std::uint32_t steps;
    float size;
  };
  for (const Run& run : {Run{4000, 1e-6f}, Run{2000, 1e-5f}, Run{400, 2e-4f}}) {
    CAPTURE(run.steps);
    CAPTURE(run.size);
    const double measured = error(Storage::bfloat16, run.steps, run.size);
    CHECK(measured == doctest::Approx(bfloat16_noise(run.steps, run.size)).epsilon(0.2));
  }
  CHECK(bfloat16_noise(20'000, 1e-6) == doctest::Approx(0.059));
}

TEST_CASE("the warning speaks of the run's own steps and learning rate") {
  const std::string text = bfloat16_warning({1e-7, Decay::constant, 0, 20'000});
  CHECK(text.find("20000 steps at learning rate 1e-07") != std::string::npos);
  CHECK(text.find("an error of 5.9% of the weights") != std::string::npos);
}
