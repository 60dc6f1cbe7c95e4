// Any pass over a whole tensor or over rows: what kernel.cpp does, on a GPU, with the same bits.
// Compiled with -fmad=false; fma is written where it is meant. Every grid is as large as the GPU
// holds at once, so that the table of normals is brought into shared memory once a block of
// threads.
#include "core/zo/cuda/kernels.h"
#include "core/zo/cuda/launch.cuh"
#include "core/zo/cuda/visit.cuh"

namespace mezo {

namespace {

// A tensor all of whose elements have seen the same updates.
template <Storage S, Distribution D, class Out, class U>
__global__ void __launch_bounds__(threads)
    whole_kernel(const __grid_constant__ Weights w, const __grid_constant__ U updates, int seen,
                 const __grid_constant__ Streams streams, std::int64_t n, bool aligned, Out* out,
                 const std::uint32_t* source) {
  __shared__ std::uint32_t table[D == Distribution::gaussian ? 2048 : 1];
  load_table<D>(source, table);
  const auto place = [&](std::int64_t first) {
    return Place{first, 0, n, aligned && first + block_elements <= n};
  };
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x * block_elements;
  std::int64_t first = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) * block_elements;
  if (first >= n) return;
  Block<S> next;
  load<S>(w, place(first), next);
  for (; first < n; first += stride) {  // the next block is on its way while this one is computed
    Block<S> b = next;
    if (first + stride < n) load<S>(w, place(first + stride), next);
    visit<S, D, Out>(w, updates, seen, streams, place(first), b, out, n, table);
  }
}

// Rows that may lag behind by different numbers of updates. A row that is asked for twice is
// brought up to date by whichever block of threads takes its count first; the streams are written
// by a launch of their own (seen == null), when all rows are up to date.
template <Storage S, Distribution D, class Out, class U>
__global__ void __launch_bounds__(threads)
    rows_kernel(const __grid_constant__ Weights w, const __grid_constant__ U updates,
                std::int32_t* unit_seen, const __grid_constant__ Streams streams,
                std::int64_t width, std::int64_t units, const std::int64_t* rows,
                std::int64_t count, bool aligned, Out* out, const std::uint32_t* source) {
  __shared__ std::uint32_t table[D == Distribution::gaussian ? 2048 : 1];
  __shared__ int seen;
  load_table<D>(source, table);
  for (std::int64_t i = blockIdx.x; i < count; i += gridDim.x) {
    const std::int64_t row = rows ? rows[i] : i;
    const bool known = row >= 0 && row < units;
    if (!known) {
      for (int s = 0; s < streams.count; ++s)
        for (std::int64_t k = threadIdx.x; k < width; k += blockDim.x)
          out[(s * count + i) * width + k] = as<Out>(__uint_as_float(0x7FC00000u));
      continue;
    }
    if (unit_seen) {
      __syncthreads();
      if (threadIdx.x == 0) seen = atomicExch(unit_seen + row, updates.count);
      __syncthreads();
      if (seen == updates.count) continue;
    }
    const std::int64_t begin = row * width, end = begin + width;
    for (std::int64_t first =
             begin / block_elements * block_elements + threadIdx.x * block_elements;
         first < end; first += std::int64_t{blockDim.x} * block_elements) {
      const Place at{first, begin, end, aligned && first >= begin && first + block_elements <= end};
      Block<S> b;
      load<S>(w, at, b);
      visit<S, D, Out>(w, updates, unit_seen ? seen : updates.count, streams, at, b,
                       out + (i - row) * width, count * width, table);
    }
  }
}

template <Storage S, Distribution D, class Out, int MostTerms>
void launch(const WeightPass& pass) {
  const Weights w = weights_of(pass);
  const auto updates = arguments_of<MostTerms>(pass.updates);
  const Streams streams = streams_of(pass);
  const std::int64_t row = pass.rows || pass.unit_seen ? pass.width : pass.units * pass.width;
  // Each stream's copy, and each row of it, must begin at a multiple of 16 bytes.
  const bool aligned =
      is_aligned(pass.weights.words) && is_aligned(pass.weights.residual) && is_aligned(pass.out) &&
      ((pass.streams.size() < 2 && !pass.rows && !pass.unit_seen) || row % block_elements == 0);
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  Out* out = static_cast<Out*>(pass.out);
  const std::uint32_t* table = table_on_device();
  using U = Updates<MostTerms>;
  if (!pass.rows && !pass.unit_seen) {
    auto* kernel = whole_kernel<S, D, Out, U>;
    const std::int64_t n = pass.units * pass.width,
                       wanted = (n + threads * block_elements - 1) / (threads * block_elements);
    const int grid =
        static_cast<int>(std::min<std::int64_t>(resident_blocks(kernel, threads), wanted));
    if (grid > 0)
      kernel<<<grid, threads, 0, stream>>>(w, updates, pass.seen, streams, n, aligned, out, table);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return;
  }
  auto* kernel = rows_kernel<S, D, Out, U>;
  const int grid =
      static_cast<int>(std::min<std::int64_t>(resident_blocks(kernel, threads), pass.count));
  if (grid == 0) return;
  // Rows that are all of the tensor, each once, need one launch for both.
  const bool at_once = pass.unit_seen == nullptr;
  if (!at_once)
    kernel<<<grid, threads, 0, stream>>>(w, updates, pass.unit_seen, Streams(), pass.width,
                                         pass.units, pass.rows, pass.count, aligned, out, table);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  if (streams.count > 0)
    kernel<<<grid, threads, 0, stream>>>(w, updates, nullptr, streams, pass.width, pass.units,
                                         pass.rows, pass.count, aligned, out, table);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

}  // namespace

void launch_general(const WeightPass& pass) {
  by_storage(pass, [&](auto storage) {
    by_output(pass, [&](auto distribution, auto out) {
      constexpr Storage S = decltype(storage)::value;
      constexpr Distribution D = decltype(distribution)::value;
      using Out = decltype(out);
      if (terms_of(pass) <= few_terms)
        launch<S, D, Out, few_terms>(pass);
      else
        launch<S, D, Out, static_cast<int>(most_terms)>(pass);
    });
  });
}

}  // namespace mezo
