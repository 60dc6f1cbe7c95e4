// Passes over all vectors of a model in few launches, with the bits of the general one.
#include "core/zo/cuda/kernels.h"
#include "core/zo/cuda/launch.cuh"
#include "core/zo/cuda/visit.cuh"

namespace mezo {

namespace {

// Vectors, which are too short for a launch each.
struct Vectors {
  static constexpr int most = 64;
  Weights weights[most];
  std::int64_t n[most];
  int seen[most];
  void* out[most];
};

template <Distribution D, class Out, class U>
__global__ void __launch_bounds__(threads)
    vectors_kernel(const __grid_constant__ Vectors v, const __grid_constant__ U updates,
                   const __grid_constant__ Streams streams, const std::uint32_t* source) {
  constexpr Storage S = Storage::float32;
  __shared__ std::uint32_t table[D == Distribution::gaussian ? 2048 : 1];
  const int i = blockIdx.y;
  const std::int64_t n = v.n[i];
  if (blockIdx.x * std::int64_t{threads} * block_elements >= n) return;
  load_table<D>(source, table);
  // Tensors begin at aligned addresses, and streams do where n allows it.
  const std::int64_t first = (blockIdx.x * std::int64_t{threads} + threadIdx.x) * block_elements;
  if (first >= n) return;
  const Place at{first, 0, n, n % block_elements == 0};
  Block<S> b;
  load<S>(v.weights[i], at, b);
  visit<S, D, Out>(v.weights[i], updates, v.seen[i], streams, at, b, static_cast<Out*>(v.out[i]), n,
                   table);
}

template <Distribution D, class Out, int MostTerms>
void launch(std::span<const WeightPass> passes) {
  const auto updates = arguments_of<MostTerms>(passes.front().updates);
  const Streams streams = streams_of(passes.front());
  Vectors v;
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < passes.size(); ++i) {
    v.weights[i] = weights_of(passes[i]);
    v.n[i] = passes[i].units * passes[i].width;
    v.seen[i] = passes[i].seen;
    v.out[i] = passes[i].out;
    longest = std::max(longest, v.n[i]);
  }
  const std::int64_t each = threads * block_elements;
  const dim3 grid(static_cast<unsigned>((longest + each - 1) / each),
                  static_cast<unsigned>(passes.size()));
  vectors_kernel<D, Out><<<grid, threads, 0, c10::cuda::getCurrentCUDAStream()>>>(
      v, updates, streams, table_on_device());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

}  // namespace

void launch_vectors(std::span<const WeightPass> passes) {
  for (std::size_t i = 0; i < passes.size(); i += Vectors::most) {
    const auto some = passes.subspan(i, std::min<std::size_t>(Vectors::most, passes.size() - i));
    by_output(some.front(), [&](auto distribution, auto out) {
      constexpr Distribution D = decltype(distribution)::value;
      using Out = decltype(out);
      if (terms_of(some.front()) <= few_terms)
        launch<D, Out, few_terms>(some);
      else
        launch<D, Out, static_cast<int>(most_terms)>(some);
    });
  }
}

}  // namespace mezo
