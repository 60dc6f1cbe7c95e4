#include <doctest/doctest.h>

#include "kernel_cases.h"

#if defined(__x86_64__)
#include <pmmintrin.h>
#endif

using namespace mezo;

namespace {

struct Result {
  std::vector<float> theta, plus, minus;
  bool operator==(const Result& o) const {
    return same_bytes(theta, o.theta) && same_bytes(plus, o.plus) && same_bytes(minus, o.minus);
  }
};

// `lead` values before the range and after it must stay as they are, and shift it in memory.
Result by_kernel(const std::vector<float>& start, std::uint64_t first,
                 const std::vector<Update>& missed, const Probe& probe, std::size_t lead) {
  const std::size_t n = start.size();
  const PhiloxKey key = philox_key(9, "kernel");
  std::vector<float> theta(n + 2 * lead, 7.0f), plus = theta, minus = theta, only = theta;
  std::copy(start.begin(), start.end(), theta.begin() + static_cast<std::ptrdiff_t>(lead));
  std::copy(start.begin(), start.end(), only.begin() + static_cast<std::ptrdiff_t>(lead));
  advance_and_perturb(theta.data() + lead, static_cast<std::int64_t>(n), first, key, missed, probe,
                      plus.data() + lead, minus.data() + lead);
  advance(only.data() + lead, static_cast<std::int64_t>(n), first, key, missed);
  REQUIRE(same_bytes(theta, only));
  const auto inner = [&](const std::vector<float>& v) {
    for (std::size_t i = 0; i < lead; ++i) REQUIRE((v[i] == 7.0f && v[lead + n + i] == 7.0f));
    return std::vector<float>(v.begin() + static_cast<std::ptrdiff_t>(lead),
                              v.end() - static_cast<std::ptrdiff_t>(lead));
  };
  return {inner(theta), inner(plus), inner(minus)};
}

Result by_reference(std::vector<float> theta, std::uint64_t first,
                    const std::vector<Update>& missed, const Probe& probe) {
  const PhiloxKey key = philox_key(9, "kernel");
  const auto n = static_cast<std::int64_t>(theta.size());
  advance_reference(theta.data(), n, first, key, missed);
  Result r{theta, std::vector<float>(theta.size()), std::vector<float>(theta.size())};
  perturb_reference(theta.data(), n, first, key, probe, r.plus.data(), r.minus.data());
  return r;
}

void compare(std::int64_t n, std::uint64_t first, const std::vector<OwnedUpdate>& owned,
             std::size_t lead) {
  CAPTURE(n);
  CAPTURE(first);
  const std::vector<float> start = kernel_weights(n, static_cast<std::uint64_t>(n) + first);
  const std::vector<Update> missed = views(owned);
  const Probe probe{77, 2, 1e-3f};
  REQUIRE(by_kernel(start, first, missed, probe, lead) ==
          by_reference(start, first, missed, probe));
}

}  // namespace

TEST_CASE("kernels equal scalar code bit for bit at every size up to 300") {
  const auto updates = kernel_updates(2, 2, 1e-4f, 1e-3f);
  for (std::int64_t n = 1; n <= 300; ++n)
    compare(n, static_cast<std::uint64_t>(n * 7 % 29), updates, static_cast<std::size_t>(n % 5));
}

TEST_CASE("kernels equal scalar code across chunks and at large elements") {
  for (const std::int64_t n : {511, 1023, 1024, 1025, 1031, 3000})
    for (const std::uint64_t first :
         {std::uint64_t{0}, std::uint64_t{5}, (std::uint64_t{1} << 32) - 700,
          (std::uint64_t{1} << 35) - 1003})
      compare(n, first, kernel_updates(1, 1, 1e-4f, 0), 1);
}

TEST_CASE("kernels equal scalar code for any number of missed updates and probes") {
  for (const int steps : {0, 1, 5, 33})
    for (const int probes : {1, 3, 8})
      for (const float decay : {0.0f, 1e-3f})
        compare(83, 3, kernel_updates(steps, probes, 1e-5f, decay), 3);
}

TEST_CASE("a range may be cut anywhere") {
  const PhiloxKey key = philox_key(1, "cut");
  const auto owned = kernel_updates(2, 1, 1e-3f, 1e-2f);
  std::vector<float> whole = kernel_weights(2500, 1), parts = whole;
  advance(whole.data(), 2500, 40, key, views(owned));
  for (std::int64_t begin = 0, n = 1; begin < 2500;
       begin += n, n = std::min<std::int64_t>(2500 - begin, n * 2 + 1))
    advance(parts.data() + begin, n, 40 + static_cast<std::uint64_t>(begin), key, views(owned));
  CHECK(same_bytes(whole, parts));
}

TEST_CASE("coefficients of zero change no byte, not even of NaN or negative zero") {
  std::vector<float> theta = kernel_weights(100, 2);
  theta[0] = -0.0f;
  theta[1] = std::nanf("0x1234");
  theta[2] = INFINITY;
  const std::vector<float> before = theta;
  const OwnedUpdate none{4, 0.0f, terms_of(4, {0.0f, -0.0f})};
  const std::vector<Update> missed{none.view()};
  advance(theta.data(), 100, 0, philox_key(0, "x"), missed);
  CHECK(same_bytes(theta, before));
}

#if defined(__x86_64__)
TEST_CASE("flush-to-zero and the rounding mode of the caller change no bit") {
  const PhiloxKey key = philox_key(9, "kernel");
  for (const float scale : {1e-4f, 3e-39f}) {
    CAPTURE(scale);
    const auto owned = kernel_updates(3, 2, scale, 1e-3f);
    const std::vector<Update> missed = views(owned);
    const Probe probe{77, 2, scale};
    const std::vector<float> start = kernel_weights(1500, 4);
    Result got{start, std::vector<float>(1500), std::vector<float>(1500)};
    std::vector<float> advanced = start;

    const unsigned callers = _mm_getcsr();
    _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
    _MM_SET_DENORMALS_ZERO_MODE(_MM_DENORMALS_ZERO_ON);
    _MM_SET_ROUNDING_MODE(_MM_ROUND_UP);
    const unsigned before = _mm_getcsr();
    advance_and_perturb(got.theta.data(), 1500, 3, key, missed, probe, got.plus.data(),
                        got.minus.data());
    advance(advanced.data(), 1500, 3, key, missed);
    const unsigned after = _mm_getcsr();
    _mm_setcsr(callers);

    CHECK(got == by_reference(start, 3, missed, probe));
    CHECK(same_bytes(advanced, got.theta));
    CHECK(before == after);  // what the caller had set is set again
  }
}
#endif
