// What 16-bit storage costs: the error that stochastic rounding piles up over a training's worth of
// steps, against the same steps in fp64. docs/exactness.md quotes what this
// prints with MEZO_LONG_TESTS=1.
#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "core/zo/exact_weights.h"
#include "spsa_step.h"
#include "stored_weights.h"
#include "tests/long_tests.h"

// c10's logging takes the name for itself; keep this last.
#undef CHECK
#define CHECK DOCTEST_CHECK

using namespace mezo;

namespace {

constexpr std::uint64_t seed = 6;

std::vector<float> normal_weights(std::int64_t n, std::uint32_t which = 0) {
  std::vector<float> w(static_cast<std::size_t>(n));
  fill_reference(Distribution::gaussian, {philox_key(1, "start"), which, 0}, 0, n, w.data());
  for (float& x : w) x *= 0.02f;
  return w;
}

// One matrix, kept somehow and moved by the engine.
struct Kept {
  Declaration d;
  Linear map;
  ParameterStore store;
  ExactWeights weights;
  Kept(std::int64_t n, Storage storage, const std::string& name, const std::vector<float>& start)
      : map(d.linear(name, n, 1, false)),
        store(d.parameters(), storage),
        weights(store, {true}, {seed}) {
    store.write(map.weight, start.data());
  }
  std::vector<float> values() {
    weights.apply_pending();
    std::vector<float> all(static_cast<std::size_t>(store.spec(map.weight).elements()));
    store.read(map.weight, all.data());
    return all;
  }
};

struct Noise {
  double error = 0;  // RMS of (kept - fp64) over RMS of the weights
  double mean = 0;   // of (kept - fp64), in units of its own standard error
};

struct Measured {
  double movement = 0;  // RMS in fp64 over RMS of the weights
  std::map<Storage, Noise> noise;
};

// The same 20,000 steps of lr * g in every storage and in fp64, all starting from the same numbers,
// which each storage holds.
Measured measure(std::int64_t n, float step_size) {
  constexpr std::uint32_t steps = 20000;
  std::vector<float> start = normal_weights(n);
  {
    Kept both(n, Storage::bfloat16, "map", start);  // 8 significant bits: fp16 holds them too,
    start = both.values();
    Kept half(n, Storage::float16, "map", start);  // but for the smallest
    start = half.values();
  }
  std::map<Storage, Kept> kept;
  for (const Storage storage : all_storages) kept.try_emplace(storage, n, storage, "map", start);
  std::vector<double> exact(start.begin(), start.end());
  std::vector<float> zero(start.size()), z(start.size());
  WeightPass read;
  read.key = philox_key(seed, "map.weight");
  const Stream along{0, 1.0f};
  read.streams = {&along, 1};
  for (std::uint32_t step = 0; step < steps; ++step) {
    read.step = step;
    void* const out = z.data();
    run_range(read, {Storage::float32, zero.data(), nullptr}, 0, n, {}, {&out, 1});
    for (std::size_t i = 0; i < exact.size(); ++i) exact[i] -= double{step_size} * double{z[i]};
    for (auto& [storage, own] : kept) own.weights.push(step, terms_of(step, {step_size}), 0.0f);
  }
  Measured m;
  double squares = 0, moved = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    squares += double{start[i]} * double{start[i]};
    moved += std::pow(exact[i] - double{start[i]}, 2);
  }
  m.movement = std::sqrt(moved / squares);
  for (auto& [storage, own] : kept) {
    const std::vector<float> values = own.values();
    double sum = 0, error = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      sum += double{values[i]} - exact[i];
      error += std::pow(double{values[i]} - exact[i], 2);
    }
    m.noise[storage] = {std::sqrt(error / squares), sum / std::sqrt(error)};
  }
  return m;
}

}  // namespace

TEST_CASE("stochastic rounding is unbiased, and its noise is what the type's spacing says") {
  struct Expected {
    float step_size;
    double bf16, fp16;
  };
  // Simulated beforehand with NumPy's random numbers, on N(0, 0.02) weights. An RMS of n numbers is
  // known to 1 / sqrt(2 n): a quarter of them needs bounds that are twice as wide.
  const std::int64_t n = short_or_long(4096, 16384);
  const double wider = std::sqrt(16384.0 / static_cast<double>(n));
  for (const Expected& e : {Expected{1e-6f, 0.059, 0.020}, {1e-5f, 0.175, 0.040}}) {
    Measured m = measure(n, e.step_size);
    std::printf("20,000 steps of lr g = %g: movement %.2f%% of the weights' RMS\n",
                double{e.step_size}, 100 * m.movement);
    for (const Storage storage : all_storages) {
      std::printf("  %-10s error %7.4f%%, mean error %+.2f of its sigma\n", name_of(storage),
                  100 * m.noise[storage].error, m.noise[storage].mean);
      CHECK(std::abs(m.noise[storage].mean) < 4);
    }
    const auto within = [](double x, double expected, double share) {
      return std::abs(x / expected - 1) < share;
    };
    CHECK(within(m.movement, std::sqrt(20000.0) * double{e.step_size} / 0.02, 0.03 * wider));
    CHECK(within(m.noise[Storage::bfloat16].error, e.bf16, 0.05 * wider));
    CHECK(within(m.noise[Storage::float16].error, e.fp16, 0.05 * wider));
    // The spacing is 256 times as narrow: 16 times less of an error that walks as its square root,
    // and less again because these steps are no longer far below it.
    CHECK(m.noise[Storage::bfloat16_8].error < m.noise[Storage::bfloat16].error / 16);
    CHECK(m.noise[Storage::float32].error < 1e-5);
  }
}

TEST_CASE("bfloat16 weights move along z by lr g a step, far below their spacing, on average") {
  constexpr std::int64_t n = 1 << 20;
  constexpr std::uint32_t steps = 32;
  constexpr float step_size = 1e-7f;  // the spacing near 0.02 is 1.2e-4
  double along = 0, squares = 0;
  const std::uint32_t parts = short_or_long(4u, 16u);
  for (std::uint32_t part = 0; part < parts; ++part) {
    const std::string name = "part" + std::to_string(part);
    Kept kept(n, Storage::bfloat16, name, normal_weights(n, part));
    Kept sum(n, Storage::float32, name, std::vector<float>(n));  // becomes minus the sum of all z
    const std::vector<float> before = kept.values();
    for (std::uint32_t step = 0; step < steps; ++step) {
      kept.weights.push(step, terms_of(step, {step_size}), 0.0f);
      sum.weights.push(step, terms_of(step, {1.0f}), 0.0f);
    }
    const std::vector<float> after = kept.values(), direction = sum.values();
    for (std::size_t i = 0; i < after.size(); ++i) {
      along += (double{after[i]} - double{before[i]}) * double{direction[i]};
      squares += double{direction[i]} * double{direction[i]};
    }
  }
  const double share = along / squares / double{step_size};
  std::printf("bfloat16 moved by %.4f of lr g along z\n", share);
  CHECK(std::abs(share - 1) < 0.02 * std::sqrt(16.0 / parts));
}
