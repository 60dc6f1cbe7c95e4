#pragma once
// The general work on a block of 8 elements: any number of missed updates of any number of terms,
// then any number of streams. All of a pass's updates and streams travel as arguments of the
// launch: nothing is copied to the GPU and the host never waits.
#include <algorithm>

#include "core/zo/cuda/draws.cuh"

namespace mezo {
namespace {

constexpr int threads = 256;

// The updates of a pass as a kernel's argument. Two sizes: most passes have a step or two.
template <int MostTerms>
struct Updates {
  int count = 0;
  std::uint32_t step[most_updates];
  float decay[most_updates];
  bool writes[most_updates];
  int first[most_updates + 1];
  Term term[MostTerms];
};

struct Streams {
  int count = 0;
  std::uint32_t step = 0;
  bool dithered = false;
  Stream stream[most_streams];
};

constexpr int few_terms = 64;

std::size_t terms_of(const WeightPass& pass) {
  std::size_t sum = 0;
  for (const Update& u : pass.updates) sum += u.terms.size();
  return sum;
}

template <int MostTerms>
Updates<MostTerms> arguments_of(std::span<const Update> updates) {
  Updates<MostTerms> u;
  u.count = static_cast<int>(updates.size());
  int at = 0;
  for (int i = 0; i < u.count; ++i) {
    const Update& update = updates[static_cast<std::size_t>(i)];
    u.step[i] = update.step;
    u.decay[i] = update.decay;
    u.writes[i] = writes(update);
    u.first[i] = at;
    for (const Term& term : update.terms) u.term[at++] = term;
  }
  u.first[u.count] = at;
  return u;
}

Streams streams_of(const WeightPass& pass) {
  Streams streams;
  streams.count = static_cast<int>(pass.streams.size());
  streams.step = pass.step;
  streams.dithered = pass.dithered;
  std::copy(pass.streams.begin(), pass.streams.end(), streams.stream);
  return streams;
}

// Applies updates[seen ..) to the 8 elements from `first`; whether anything was written.
template <Storage S, Distribution D, class U>
__device__ bool advance(const Weights& w, const U& updates, int seen, std::uint64_t first,
                        const std::uint32_t* table, float* theta) {
  bool wrote = false;
  for (int i = seen; i < updates.count; ++i) {
    if (!updates.writes[i]) continue;
    wrote = true;
    float u[block_elements] = {}, z[block_elements];
    for (int c = updates.first[i]; c < updates.first[i + 1]; ++c) {
      const Term& term = updates.term[c];
      directions<D>(w, term.step, term.probe, first, table, z);
#pragma unroll
      for (int k = 0; k < block_elements; ++k) u[k] = __fmaf_rn(term.coefficient, z[k], u[k]);
    }
    // Without decay the fma is exact and gives theta back.
    if (const float decay = -updates.decay[i]; decay != 0)
#pragma unroll
      for (int k = 0; k < block_elements; ++k) theta[k] = __fmaf_rn(decay, theta[k], theta[k]);
#pragma unroll
    for (int k = 0; k < block_elements; ++k) theta[k] = __fsub_rn(theta[k], u[k]);
    if constexpr (S != Storage::float32)
      round_block<S>(rounding_draws(block_of(w, updates.step[i], 0, first)), theta);
  }
  return wrote;
}

// What each stream reads of 8 elements; `out` is where element 0 of the tensor would go.
template <Distribution D, class Out>
__device__ void write_streams(const Weights& w, const Streams& streams, const Place& at,
                              const float* theta, Out* out, std::int64_t stride,
                              const std::uint32_t* table) {
  float z[block_elements];
  PhiloxBlock dither = {};
  if (streams.dithered)
    dither = rounding_draws(block_of(w, streams.step, 0, static_cast<std::uint64_t>(at.first)));
  int drawn = -1;
  for (int s = 0; s < streams.count; ++s) {
    const Stream stream = streams.stream[s];
    if (stream.probe >= 0 && stream.probe != drawn) {
      directions<D>(w, streams.step, static_cast<std::uint32_t>(stream.probe),
                    static_cast<std::uint64_t>(at.first), table, z);
      drawn = stream.probe;
    }
    alignas(16) Out values[block_elements];
#pragma unroll
    for (std::uint32_t k = 0; k < block_elements; ++k) {
      const float value = stream.probe >= 0 ? __fmaf_rn(stream.epsilon, z[k], theta[k]) : theta[k];
      values[k] = streams.dithered ? dithered<Out>(value, draw16_of(dither, k)) : as<Out>(value);
    }
    Out* to = out + s * stride + at.first;
    if (at.whole) {
#pragma unroll
      for (int v = 0; v < static_cast<int>(sizeof values / 16); ++v)
        reinterpret_cast<uint4*>(to)[v] = reinterpret_cast<uint4*>(values)[v];
    } else {
#pragma unroll
      for (int k = 0; k < block_elements; ++k)
        if (at.first + k >= at.begin && at.first + k < at.end) to[k] = values[k];
    }
  }
}

// Brings a loaded block up to date, stores it if that changed it, and writes its streams.
template <Storage S, Distribution D, class Out, class U>
__device__ void visit(const Weights& w, const U& updates, int seen, const Streams& streams,
                      const Place& at, Block<S>& b, Out* out, std::int64_t stride,
                      const std::uint32_t* table) {
  float theta[block_elements];
#pragma unroll
  for (int k = 0; k < block_elements; ++k) theta[k] = widened<S>(b.words[k], b.residual[k]);
  if (advance<S, D>(w, updates, seen, static_cast<std::uint64_t>(at.first), table, theta)) {
#pragma unroll
    for (int k = 0; k < block_elements; ++k) narrow<S>(theta[k], b.words[k], b.residual[k]);
    store<S>(w, at, b);
  }
  write_streams<D>(w, streams, at, theta, out, stride, table);
}

}  // namespace
}  // namespace mezo
