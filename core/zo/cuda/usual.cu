// The pass that a training step makes over every matrix, with the bits of the general one.
#include <optional>

#include "core/zo/cuda/draws.cuh"
#include "core/zo/cuda/kernels.h"
#include "core/zo/cuda/launch.cuh"

namespace mezo {

namespace {

constexpr int usual_threads = 1024;  // one block a multiprocessor: the fastest of five sizes tried

// What a pass over a matrix nearly always is: at most one update, of its own step's one probe, and the two streams
// of one probe. With every number of times known and every access whole it takes two thirds of the
// general kernel's instructions, and these are what bounds it.
struct Usual {
  bool updates = false;
  std::uint32_t update_step = 0, step = 0, probe = 0;
  float coefficient = 0, decay = 0, epsilon = 0;
};

template <Storage S, Distribution D, class Out>
__device__ void visit_usual(const Weights& w, const Usual& u, std::int64_t first, Block<S>& b,
                            Out* plus, Out* minus, const std::uint32_t* table) {
  const Place at{first, 0, 0, true};
  const auto element = static_cast<std::uint64_t>(first);
  float theta[block_elements], z[block_elements];
#pragma unroll
  for (int k = 0; k < block_elements; ++k) theta[k] = widened<S>(b.words[k], b.residual[k]);
  if (u.updates) {
    PhiloxBlock block;
    if (D == Distribution::gaussian || S != Storage::float32)
      block = block_of(w, u.update_step, 0, element);
    if constexpr (D == Distribution::gaussian)
      gaussians(block, table, z);
    else
      directions<D>(w, u.update_step, 0, element, table, z);
    if (u.decay != 0)
#pragma unroll
      for (int k = 0; k < block_elements; ++k) theta[k] = __fmaf_rn(-u.decay, theta[k], theta[k]);
#pragma unroll
    for (int k = 0; k < block_elements; ++k)
      theta[k] = __fsub_rn(theta[k], __fmaf_rn(u.coefficient, z[k], 0.0f));
    if constexpr (S != Storage::float32) round_block<S>(rounding_draws(block), theta);
#pragma unroll
    for (int k = 0; k < block_elements; ++k) narrow<S>(theta[k], b.words[k], b.residual[k]);
    store<S>(w, at, b);
  }
  directions<D>(w, u.step, u.probe, element, table, z);
  alignas(16) Out up[block_elements], down[block_elements];
#pragma unroll
  for (int k = 0; k < block_elements; ++k) {
    up[k] = as<Out>(__fmaf_rn(u.epsilon, z[k], theta[k]));
    down[k] = as<Out>(__fmaf_rn(-u.epsilon, z[k], theta[k]));
  }
#pragma unroll
  for (int v = 0; v < static_cast<int>(sizeof up / 16); ++v) {
    reinterpret_cast<uint4*>(plus + first)[v] = reinterpret_cast<uint4*>(up)[v];
    reinterpret_cast<uint4*>(minus + first)[v] = reinterpret_cast<uint4*>(down)[v];
  }
}

template <Storage S, Distribution D, class Out>
__global__ void __launch_bounds__(usual_threads, 1)
    usual_kernel(const __grid_constant__ Weights w, const __grid_constant__ Usual u, std::int64_t n,
                 Out* plus, Out* minus, const std::uint32_t* source) {
  __shared__ std::uint32_t table[D == Distribution::gaussian ? 2048 : 1];
  load_table<D>(source, table);
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x * block_elements;
  std::int64_t first = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) * block_elements;
  if (first >= n) return;
  Block<S> next;
  load<S>(w, {first, 0, 0, true}, next);
  for (; first < n; first += stride) {  // the next block is on its way while this one is computed
    Block<S> b = next;
    if (first + stride < n) load<S>(w, {first + stride, 0, 0, true}, next);
    visit_usual<S, D, Out>(w, u, first, b, plus, minus, table);
  }
}

// The pass as usual_kernel takes it, or nothing.
std::optional<Usual> usual_form(const WeightPass& pass) {
  const auto missed =
      pass.updates.subspan(std::min(pass.updates.size(), static_cast<std::size_t>(pass.seen)));
  const auto& s = pass.streams;
  if (pass.rows || pass.unit_seen || pass.dithered || missed.size() > 1 || s.size() != 2 ||
      s[0].probe < 0 || s[1].probe != s[0].probe || s[1].epsilon != -s[0].epsilon ||
      pass.units * pass.width % block_elements != 0 || !is_aligned(pass.weights.words) ||
      !is_aligned(pass.weights.residual) || !is_aligned(pass.out))
    return std::nullopt;
  Usual u;
  u.step = pass.step;
  u.probe = static_cast<std::uint32_t>(s[0].probe);
  u.epsilon = s[0].epsilon;
  if (missed.empty() || !writes(missed[0])) return u;
  // Its rounding then takes the block that its direction comes from.
  const auto& terms = missed[0].terms;
  if (terms.size() != 1 || terms[0].step != missed[0].step || terms[0].probe != 0)
    return std::nullopt;
  u.updates = true;
  u.update_step = missed[0].step;
  u.coefficient = terms[0].coefficient;
  u.decay = missed[0].decay;
  return u;
}

template <Storage S, Distribution D, class Out>
void launch(const WeightPass& pass, const Usual& u) {
  auto* kernel = usual_kernel<S, D, Out>;
  const std::int64_t n = pass.units * pass.width, each = usual_threads * block_elements;
  const int grid = static_cast<int>(
      std::min<std::int64_t>(resident_blocks(kernel, usual_threads), (n + each - 1) / each));
  if (grid == 0) return;
  Out* out = static_cast<Out*>(pass.out);
  kernel<<<grid, usual_threads, 0, c10::cuda::getCurrentCUDAStream()>>>(weights_of(pass), u, n, out,
                                                                        out + n, table_on_device());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

}  // namespace

bool launch_usual(const WeightPass& pass) {
  const std::optional<Usual> usual = usual_form(pass);
  if (!usual) return false;
  by_storage(pass, [&](auto storage) {
    by_output(pass, [&](auto distribution, auto out) {
      launch<decltype(storage)::value, decltype(distribution)::value, decltype(out)>(pass, *usual);
    });
  });
  return true;
}

}  // namespace mezo
