// Statistics of z through the kernel that training uses, with MEZO_LONG_TESTS=1 over a thousand
// million draws in all. A bound of k sigma is stated with the sample's own sigma: a seed is fixed, so a test either always
// passes or always fails. docs/directions.md quotes what the long form
// prints.
#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "kernel_cases.h"
#include "tests/long_tests.h"

// c10's logging takes the name for itself; keep this last.
#undef CHECK
#define CHECK DOCTEST_CHECK
#undef CHECK_MESSAGE
#define CHECK_MESSAGE DOCTEST_CHECK_MESSAGE

using namespace mezo;

namespace {

constexpr std::int64_t block = 1 << 20;
const std::int64_t blocks = short_or_long(64, 512);  // 6.7e7 or 5.4e8 draws of each distribution
const double n = static_cast<double>(blocks * block);
const std::int64_t pairs = short_or_long(4, 16) * block;

struct Drawn {
  const char* name;
  std::uint64_t seed = 0;
  std::uint32_t step = 0, probe = 0;
};

// z at elements first .. first + count: what theta = 0 becomes with epsilon 1.
std::vector<float> draw(Distribution distribution, const Drawn& d, std::uint64_t first,
                        std::int64_t count) {
  std::vector<float> theta(static_cast<std::size_t>(count)), z(theta.size());
  const Stream stream{static_cast<std::int32_t>(d.probe), 1.0f};
  WeightPass pass;
  pass.key = philox_key(d.seed, d.name);
  pass.distribution = distribution;
  pass.step = d.step;
  pass.streams = {&stream, 1};
  void* const out = z.data();
  run_range(pass, {Storage::float32, theta.data(), nullptr}, first, count, {}, {&out, 1});
  return z;
}

// Sums of the first powers and how often each value, or pattern of values, was drawn.
struct Sums {
  std::array<double, 5> power{};
  std::vector<std::int64_t> count;
};

// `add(z, sums)` for each block, on all threads; the blocks' sums are added in order.
template <class Add>
Sums over_blocks(Distribution distribution, std::size_t counts, Add&& add) {
  std::vector<Sums> each(static_cast<std::size_t>(blocks));
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      Sums& own = each[static_cast<std::size_t>(b)];
      own.count.resize(counts);
      add(draw(distribution, {"statistics", 1, static_cast<std::uint32_t>(b), 0}, 0, block), own);
    }
  });
  Sums all;
  all.count.resize(counts);
  for (const Sums& own : each) {
    for (std::size_t k = 0; k < 5; ++k) all.power[k] += own.power[k];
    for (std::size_t i = 0; i < counts; ++i) all.count[i] += own.count[i];
  }
  return all;
}

// Place of z among the 4,096 values, ascending.
std::size_t place_of(float z) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(z), magnitude = bits & 0x7FFFFFFFu;
  const std::uint32_t* table = half_normal_bits();
  std::size_t low = 0;
  for (std::size_t half = 1024; half > 0; half /= 2)
    low += table[low + half] <= magnitude ? half : 0;
  return bits >> 31 ? 2047 - low : 2048 + low;
}

void add_normals(const std::vector<float>& z, Sums& sums) {
  for (const float v : z) {
    const double x = v, xx = x * x;
    sums.power[1] += x;
    sums.power[2] += xx;
    sums.power[3] += xx * x;
    sums.power[4] += xx * xx;
    ++sums.count[place_of(v)];
  }
}

// Of each 8 neighbouring signs.
void add_patterns(const std::vector<float>& z, Sums& sums) {
  for (std::size_t i = 0; i < z.size(); i += 8) {
    std::size_t pattern = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      sums.power[1] += double{z[i + k]};
      sums.power[2] += double{z[i + k]} * double{z[i + k]};
      pattern = pattern * 2 + (z[i + k] < 0);
    }
    ++sums.count[pattern];
  }
}

double chi_square(const std::vector<std::int64_t>& count) {
  double total = 0, sum = 0;
  for (const std::int64_t c : count) total += static_cast<double>(c);
  const double expected = total / static_cast<double>(count.size());
  for (const std::int64_t c : count)
    sum += std::pow(static_cast<double>(c) - expected, 2) / expected;
  return sum;
}

double correlation(const std::vector<float>& a, const float* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i)
    sum += double{a[static_cast<std::size_t>(i)]} * double{b[i]};
  return sum / static_cast<double>(count);
}

double cumulative(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// The table's own, and the sample's, distance to the normal distribution.
struct Distances {
  double own_ks = 0, ks = 0, own_kurtosis = 0;
};
Distances distances(const std::vector<std::int64_t>& count) {
  Distances d;
  std::int64_t below = 0;
  for (std::size_t i = 0; i < 4096; ++i) {
    const double magnitude =
        double{std::bit_cast<float>(half_normal_bits()[i < 2048 ? 2047 - i : i - 2048])};
    const double value = i < 2048 ? -magnitude : magnitude, normal = cumulative(value);
    d.ks = std::max(d.ks, std::abs(static_cast<double>(below) / n - normal));
    below += count[i];
    d.ks = std::max(d.ks, std::abs(static_cast<double>(below) / n - normal));
    d.own_ks = std::max({d.own_ks, std::abs(static_cast<double>(i) / 4096 - normal),
                         std::abs(static_cast<double>(i + 1) / 4096 - normal)});
    d.own_kurtosis += std::pow(value, 4) / 4096;
  }
  return d;
}

}  // namespace

TEST_CASE("z has the moments and the distribution of a standard normal") {
  const Sums sums = over_blocks(Distribution::gaussian, 4096, add_normals);
  const double mean = sums.power[1] / n, variance = sums.power[2] / n - mean * mean;
  const double skewness = sums.power[3] / n / std::pow(variance, 1.5),
               kurtosis = sums.power[4] / n / (variance * variance);
  const auto [own_ks, ks, own_kurtosis] = distances(sums.count);
  const double chi = chi_square(sums.count);
  std::printf(
      "draws %.0f: mean %+.2e, variance - 1 %+.2e, skewness %+.2e, kurtosis %.5f, KS %.3e, "
      "chi-square %.0f of 4095\n",
      n, mean, variance - 1, skewness, kurtosis, ks, chi);
  std::printf("the table itself: kurtosis %.5f, KS %.3e\n", own_kurtosis, own_ks);
  CHECK(std::abs(mean) < 4 / std::sqrt(n));
  CHECK(std::abs(variance - 1) < 4 * std::sqrt(2 / n));
  CHECK(std::abs(skewness) < 4 * std::sqrt(6 / n));
  // Nothing lies beyond the largest of the 4,096 values, so their own fourth moment is a little
  // below 3.
  CHECK(own_kurtosis == doctest::Approx(2.99).epsilon(0.002));
  CHECK(std::abs(kurtosis - own_kurtosis) < 4 * std::sqrt(24 / n));
  // Values of probability 1/4096 each are 1/8192 from any continuous distribution, and a little
  // more where the quantiles are scaled to unit variance; a sample adds more than 1.95 / sqrt(n)
  // once in a thousand.
  CHECK(own_ks > 1.0 / 8192 - 1e-6);
  CHECK(own_ks < 2.0 / 8192);
  CHECK(ks < own_ks + 1.95 / std::sqrt(n));
  CHECK(std::abs(chi - 4095) < 4 * std::sqrt(2 * 4095.0));
}

TEST_CASE("signs are even, and so are the patterns of neighbours") {
  const Sums sums = over_blocks(Distribution::rademacher, 256, add_patterns);
  const double mean = sums.power[1] / n, chi = chi_square(sums.count);
  std::printf("signs %.0f: mean %+.2e, patterns of eight: chi-square %.0f of 255\n", n, mean, chi);
  CHECK(sums.power[2] ==
        n);  // +1 or -1, each: variance, skewness and kurtosis follow from the mean
  CHECK(std::abs(mean) < 4 / std::sqrt(n));
  CHECK(std::abs(chi - 255) < 4 * std::sqrt(2 * 255.0));
}

TEST_CASE("z is uncorrelated between neighbours, tensors, steps, probes and seeds") {
  const double bound = 4.5 / std::sqrt(static_cast<double>(pairs));
  for (const Distribution distribution : {Distribution::gaussian, Distribution::rademacher}) {
    std::printf("%s\n", distribution == Distribution::gaussian ? "normals" : "signs");
    const char *name = "model.layers.0.mlp.up_proj.weight",
               *next = "model.layers.1.mlp.up_proj.weight";
    const std::vector<float> z = draw(distribution, {name}, 0, pairs + 160);
    const auto check = [&](const std::string& what, double r) {
      std::printf("correlation with %-14s %+.2e (bound %.2e)\n", what.c_str(), r, bound);
      CHECK_MESSAGE(std::abs(r) < bound, what);
    };
    const auto with = [&](const std::string& what, const Drawn& other) {
      check(what, correlation(z, draw(distribution, other, 0, pairs).data(), pairs));
    };
    for (const std::int64_t lag : {1, 2, 3, 4, 7, 8, 9, 16, 31, 32, 33, 128})
      check("lag " + std::to_string(lag), correlation(z, z.data() + lag, pairs));
    with("next tensor", {next, 0, 0, 0});
    with("next step", {name, 0, 1, 0});
    with("next probe", {name, 0, 0, 1});
    with("next seed", {name, 1, 0, 0});
    check("swapped words", correlation(draw(distribution, {"a", 0, 1, 0}, 0, pairs),
                                       draw(distribution, {"a", 0, 0, 1}, 0, pairs).data(), pairs));
    // Squares too: dependence that leaves no linear trace.
    if (distribution == Distribution::rademacher) continue;
    double squares = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(pairs); ++i)
      squares += (double{z[i]} * double{z[i]} - 1) * (double{z[i + 1]} * double{z[i + 1]} - 1);
    check("squares, lag 1", squares / static_cast<double>(pairs) / 2);
  }
}

TEST_CASE("the draws of rounding are uncorrelated with z around them and with each other") {
  const double bound = 4.5 / std::sqrt(static_cast<double>(pairs));
  const PhiloxKey key = philox_key(0, "model.layers.0.mlp.up_proj.weight");
  // Of mean 0 and variance 1.
  std::vector<float> rounding(static_cast<std::size_t>(pairs) + 8);
  for (std::size_t i = 0; i < rounding.size(); ++i) {
    const PhiloxBlock words = philox(philox_counter(i / 8, 0, 0, Purpose::direction), key);
    const std::uint32_t draw16 =
        draw16_of(rounding_draws(words), static_cast<std::uint32_t>(i % 8));
    rounding[i] = static_cast<float>((draw16 - 32767.5) / 65536 * std::sqrt(12.0));
  }
  std::vector<float> z = draw(Distribution::gaussian, {"model.layers.0.mlp.up_proj.weight"}, 0,
                              pairs + 8),
                     squares = z;
  for (float& x : squares) x = static_cast<float>((double{x} * double{x} - 1) / std::sqrt(2.0));
  const auto check = [&](const std::string& what, double r) {
    std::printf("rounding with %-28s %+.2e (bound %.2e)\n", what.c_str(), r, bound);
    CHECK_MESSAGE(std::abs(r) < bound, what);
  };
  check("its own z", correlation(rounding, z.data(), pairs));
  check("its own z, squared", correlation(rounding, squares.data(), pairs));
  // A block of eight shares four random words.
  for (std::int64_t lag = 1; lag < 8; ++lag) {
    const std::string away = std::to_string(lag);
    check("z " + away + " on", correlation(rounding, z.data() + lag, pairs));
    check("z " + away + " before", correlation(z, rounding.data() + lag, pairs));
    check("squares " + away + " on", correlation(rounding, squares.data() + lag, pairs));
    check("the rounding " + away + " on", correlation(rounding, rounding.data() + lag, pairs));
  }
}
