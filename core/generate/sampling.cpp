#include "core/generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/zo/philox.h"

namespace mezo {

namespace {

struct Candidate {
  std::int32_t token;
  double share;  // of the likeliest one's probability
};

bool likelier(const Candidate& a, const Candidate& b) {
  return a.share != b.share ? a.share > b.share : a.token < b.token;
}

double total(std::span<const Candidate> candidates) {
  return std::accumulate(candidates.begin(), candidates.end(), 0.0,
                         [](double sum, const Candidate& c) { return sum + c.share; });
}

// Drops all behind the first that together have the share `top_p`.
void keep_nucleus(std::vector<Candidate>& candidates, double top_p) {
  std::sort(candidates.begin(), candidates.end(), likelier);
  const double wanted = top_p * total(candidates);
  double sum = 0;
  std::size_t kept = 0;
  while (kept < candidates.size() && (kept == 0 || sum < wanted)) sum += candidates[kept++].share;
  candidates.resize(kept);
}

}  // namespace

double draw_of(std::uint64_t seed, std::uint64_t prompt, std::int64_t place, std::uint32_t step) {
  const PhiloxBlock block =
      philox(philox_counter(static_cast<std::uint64_t>(place), step,
                            static_cast<std::uint32_t>(prompt), Purpose::text),
             philox_key(seed + (prompt >> 32), "text"));
  const std::uint64_t bits = (std::uint64_t{block[0]} << 21) | (block[1] >> 11);
  return static_cast<double>(bits) * 0x1p-53;
}

std::int32_t sample(std::span<const float> logits, const Sampling& sampling, double draw) {
  float floor = -INFINITY;  // of what top_k leaves
  const auto entries = static_cast<std::int64_t>(logits.size());
  if (sampling.top_k > 0 && sampling.top_k < entries) {
    std::vector<float> sorted(logits.begin(), logits.end());
    const auto last = sorted.begin() + (sampling.top_k - 1);
    std::nth_element(sorted.begin(), last, sorted.end(), std::greater<>());
    floor = *last;
  }
  const double most = *std::max_element(logits.begin(), logits.end());
  std::vector<Candidate> candidates;
  for (std::int32_t token = 0; token < entries; ++token) {
    const float logit = logits[static_cast<std::size_t>(token)];
    if (logit < floor) continue;
    const double share = std::exp((logit - most) / sampling.temperature);
    if (share > 0) candidates.push_back({token, share});
  }
  if (sampling.top_p < 1) keep_nucleus(candidates, sampling.top_p);
  double left = draw * total(candidates);
  for (const Candidate& c : candidates)
    if ((left -= c.share) < 0) return c.token;
  return candidates.back().token;  // what rounding left over
}

}  // namespace mezo
