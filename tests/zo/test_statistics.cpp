// Statistics of z over many draws, through the kernel that training uses. A bound of k sigma is
// stated with the sample's own sigma: a seed is fixed, so a test either always passes or always
// fails. docs/directions.md quotes what this prints.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "kernel_cases.h"

using namespace mezo;

namespace {

constexpr std::int64_t block = 1 << 20;

// z at elements first .. first + n: what theta = 0 becomes with epsilon 1.
std::vector<float> draw(const char* name, std::uint64_t seed, std::uint32_t step,
                        std::uint32_t probe, std::uint64_t first, std::int64_t n) {
  std::vector<float> theta(static_cast<std::size_t>(n)), plus(theta.size()), minus(theta.size());
  advance_and_perturb(theta.data(), n, first, philox_key(seed, name), {}, {step, probe, 1.0f},
                      plus.data(), minus.data());
  return plus;
}

double correlation(const float* a, const float* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum / static_cast<double>(n);
}

double cumulative(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

}  // namespace

TEST_CASE("z has the moments and the distribution of a standard normal") {
  constexpr std::int64_t blocks = 128;  // 1.34e8 draws
  constexpr double n = static_cast<double>(blocks * block);
  std::array<double, 5> moment{};
  std::vector<std::int64_t> count(4096);  // of each value, ascending
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::vector<float> z = draw("statistics", 1, static_cast<std::uint32_t>(b), 0, 0, block);
    double s1 = 0, s2 = 0, s3 = 0, s4 = 0;
    for (const float v : z) {
      const double x = v, xx = x * x;
      s1 += x;
      s2 += xx;
      s3 += xx * x;
      s4 += xx * xx;
    }
    moment[1] += s1;
    moment[2] += s2;
    moment[3] += s3;
    moment[4] += s4;
    for (const float v : z) {
      const std::uint32_t bits = std::bit_cast<std::uint32_t>(v), magnitude = bits & 0x7FFFFFFFu;
      const std::uint32_t* table = half_normal_bits();
      std::size_t low = 0;
      for (std::size_t half = 1024; half > 0; half /= 2)
        low += table[low + half] <= magnitude ? half : 0;
      ++count[bits >> 31 ? 2047 - low : 2048 + low];
    }
  }
  const double mean = moment[1] / n, variance = moment[2] / n - mean * mean;
  const double skewness = moment[3] / n / std::pow(variance, 1.5),
               kurtosis = moment[4] / n / (variance * variance);
  double ks = 0, own_ks = 0, chi_square = 0, own_kurtosis = 0;
  std::int64_t below = 0;
  for (std::size_t i = 0; i < 4096; ++i) {
    const std::uint32_t bits = half_normal_bits()[i < 2048 ? 2047 - i : i - 2048];
    const double value =
        i < 2048 ? -double{std::bit_cast<float>(bits)} : double{std::bit_cast<float>(bits)};
    ks = std::max(ks, std::abs(static_cast<double>(below) / n - cumulative(value)));
    below += count[i];
    ks = std::max(ks, std::abs(static_cast<double>(below) / n - cumulative(value)));
    own_ks = std::max({own_ks, std::abs(static_cast<double>(i) / 4096 - cumulative(value)),
                       std::abs(static_cast<double>(i + 1) / 4096 - cumulative(value))});
    own_kurtosis += value * value * value * value / 4096;
    const double expected = n / 4096;
    chi_square += (static_cast<double>(count[i]) - expected) *
                  (static_cast<double>(count[i]) - expected) / expected;
  }
  std::printf(
      "draws %.0f: mean %+.2e, variance %.6f, skewness %+.2e, kurtosis %.5f, KS %.3e, chi-square "
      "%.0f of 4095\n",
      n, mean, variance, skewness, kurtosis, ks, chi_square);
  std::printf("the table itself: kurtosis %.5f, KS %.3e\n", own_kurtosis, own_ks);
  CHECK(below == blocks * block);  // every draw is one of the 4,096 values
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
  CHECK(std::abs(chi_square - 4095) < 4 * std::sqrt(2 * 4095.0));
}

TEST_CASE("z is uncorrelated between neighbours, tensors, steps, probes and seeds") {
  constexpr std::int64_t n = 16 * block;
  const std::vector<float> z = draw("model.layers.0.mlp.up_proj.weight", 0, 0, 0, 0, n + 16);
  const double bound = 4.5 / std::sqrt(static_cast<double>(n));
  const auto check = [&](const char* what, double r) {
    std::printf("correlation with %-14s %+.2e (bound %.2e)\n", what, r, bound);
    CHECK_MESSAGE(std::abs(r) < bound, what);
  };
  for (const std::int64_t lag : {1, 2, 3, 4, 7, 8, 9, 16})
    check(("lag " + std::to_string(lag)).c_str(), correlation(z.data(), z.data() + lag, n));
  check("next tensor",
        correlation(z.data(), draw("model.layers.1.mlp.up_proj.weight", 0, 0, 0, 0, n).data(), n));
  check("next step",
        correlation(z.data(), draw("model.layers.0.mlp.up_proj.weight", 0, 1, 0, 0, n).data(), n));
  check("next probe",
        correlation(z.data(), draw("model.layers.0.mlp.up_proj.weight", 0, 0, 1, 0, n).data(), n));
  check("next seed",
        correlation(z.data(), draw("model.layers.0.mlp.up_proj.weight", 1, 0, 0, 0, n).data(), n));
  check("swapped words",
        correlation(draw("a", 0, 1, 0, 0, n).data(), draw("a", 0, 0, 1, 0, n).data(), n));
  // Squares too: dependence that leaves no linear trace.
  double squares = 0;
  for (std::int64_t i = 0; i < n; ++i)
    squares += (double{z[i]} * double{z[i]} - 1) * (double{z[i + 1]} * double{z[i + 1]} - 1);
  check("squares, lag 1", squares / static_cast<double>(n) / 2);
}
