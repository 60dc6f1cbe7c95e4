// The CUDA kernels of WeightPass: what kernel.cpp does, on a GPU, with the same bits. Compiled with
// -fmad=false; fma is written where it is meant.
//
// A thread takes blocks of 8 consecutive elements, those that share one Philox block: 16 bytes of a
// 16-bit matrix. Every grid is as large as the GPU holds at once, so that the table of normals is
// brought into shared memory once a block of threads. All of a pass's updates and streams travel as
// arguments of the launch: nothing is copied and the host never waits.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <optional>
#include <type_traits>

#include "core/zo/cuda_weights.h"
#include "core/zo/rounding.h"

namespace mezo {

namespace {

constexpr int threads = 256;
constexpr int usual_threads = 1024;  // of usual_kernel, one block a multiprocessor
constexpr int block_elements = 8;

// The updates of a pass as a kernel's argument. Two sizes: most passes have a step or two.
template <int MostCoefficients>
struct Updates {
  int count = 0;
  std::uint32_t step[most_updates];
  float decay[most_updates];
  bool writes[most_updates];
  int first[most_updates + 1];
  float coefficient[MostCoefficients];
};

struct Streams {
  int count = 0;
  std::uint32_t step = 0;
  bool dithered = false;
  Stream stream[most_streams];
};

struct Weights {
  void* words;
  std::uint8_t* residual;
  PhiloxKey round_keys[10];  // of Philox: as arguments they are operands, not additions
};

template <Storage S>
struct Block {  // 8 stored elements, as 16-byte (fp32: two) and 8-byte accesses
  using Word = std::conditional_t<S == Storage::float32, float, std::uint16_t>;
  alignas(16) Word words[block_elements];
  alignas(8) std::uint8_t residual[block_elements];
};

template <Storage S>
__device__ float widened(typename Block<S>::Word word, std::uint8_t residual) {
  if constexpr (S == Storage::float32)
    return word;
  else if constexpr (S == Storage::float16)
    return __half2float(__ushort_as_half(word));
  else
    return __uint_as_float((static_cast<std::uint32_t>(word) << 16) |
                           (S == Storage::bfloat16_8 ? std::uint32_t{residual} << 8 : 0u));
}

// philox() with its round keys at hand.
__device__ PhiloxBlock draw(const Weights& w, const PhiloxBlock& counter) {
  std::uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{philox_m0} * c0, p1 = std::uint64_t{philox_m1} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ w.round_keys[round].low;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ w.round_keys[round].high;
    c3 = static_cast<std::uint32_t>(p0);
  }
  return {c0, c1, c2, c3};
}

template <Storage S>
__device__ float rounded(float value, std::uint32_t draw16) {
  const std::uint32_t bits = __float_as_uint(value);
  if constexpr (S == Storage::bfloat16)
    return __uint_as_float(stochastic_bf16(bits, draw16));
  else if constexpr (S == Storage::bfloat16_8)
    return __uint_as_float(stochastic_bf16_8(bits, draw16));
  else
    return __half2float(__ushort_as_half(stochastic_fp16(bits, draw16)));
}

// rounding.h's functions on 8 elements. For finite values that stay finite, bf16 is an addition and
// a mask; only where one of the 8 is or becomes infinite is the whole definition needed.
template <Storage S>
__device__ void round_block(const PhiloxBlock& draws, float* theta) {
  if constexpr (S == Storage::bfloat16 || S == Storage::bfloat16_8) {
    float quick[block_elements];
    bool finite = true;
#pragma unroll
    for (std::uint32_t k = 0; k < block_elements; ++k) {
      const std::uint32_t draw16 = draw16_of(draws, k), bits = __float_as_uint(theta[k]);
      quick[k] = __uint_as_float(S == Storage::bfloat16 ? (bits + draw16) & 0xFFFF0000u
                                                        : (bits + (draw16 >> 8)) & 0xFFFFFF00u);
      finite = finite && fabsf(quick[k]) <= 3.4028234664e38f;
    }
    if (finite) {
#pragma unroll
      for (int k = 0; k < block_elements; ++k) theta[k] = quick[k];
      return;
    }
  }
#pragma unroll
  for (std::uint32_t k = 0; k < block_elements; ++k)
    theta[k] = rounded<S>(theta[k], draw16_of(draws, k));
}

template <Storage S>
__device__ void narrow(float value, typename Block<S>::Word& word, std::uint8_t& residual) {
  if constexpr (S == Storage::float32) {
    word = value;
  } else if constexpr (S == Storage::float16) {
    word = __half_as_ushort(__float2half_rn(value));  // a value that fp16 holds
  } else {
    word = static_cast<std::uint16_t>(__float_as_uint(value) >> 16);
    residual = static_cast<std::uint8_t>(__float_as_uint(value) >> 8);
  }
}

template <class Out>
__device__ Out as(float value) {
  if constexpr (std::is_same_v<Out, float>)
    return value;
  else if constexpr (std::is_same_v<Out, __half>)
    return __float2half_rn(value);
  else
    return __float2bfloat16_rn(value);
}

// A value that a stream reads, rounded stochastically.
template <class Out>
__device__ Out dithered(float value, std::uint32_t draw16) {
  if constexpr (std::is_same_v<Out, float>)
    return value;
  else if constexpr (std::is_same_v<Out, __half>)
    return __ushort_as_half(stochastic_fp16(__float_as_uint(value), draw16));
  else
    return __ushort_as_bfloat16(
        static_cast<unsigned short>(stochastic_bf16(__float_as_uint(value), draw16) >> 16));
}

// The block of Philox that the 8 elements from `first` share.
__device__ PhiloxBlock block_of(const Weights& w, std::uint32_t step, std::uint32_t probe,
                                std::uint64_t first) {
  return draw(w, philox_counter(first / 8, step, probe, Purpose::direction));
}

__device__ void gaussians(const PhiloxBlock& block, const std::uint32_t* table, float* z) {
#pragma unroll
  for (std::uint32_t i = 0; i < block_elements; ++i)
    z[i] = __uint_as_float(gaussian_bits(draw16_of(block, i), table));
}

// The directions of the 8 elements from `first`, a multiple of 8.
template <Distribution D>
__device__ void directions(const Weights& w, std::uint32_t step, std::uint32_t probe,
                           std::uint64_t first, const std::uint32_t* table, float* z) {
  if constexpr (D == Distribution::gaussian) {
    gaussians(block_of(w, step, probe, first), table, z);
  } else {
    const PhiloxBlock block = draw(w, philox_counter(first / 128, step, probe, Purpose::signs));
    const std::uint32_t at = static_cast<std::uint32_t>(first % 128);
    const std::uint32_t word =
        at < 64 ? (at < 32 ? block[0] : block[1]) : (at < 96 ? block[2] : block[3]);
#pragma unroll
    for (std::uint32_t i = 0; i < block_elements; ++i)
      z[i] = __uint_as_float(rademacher_bits((word >> (at % 32 + i)) & 1u));
  }
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
      directions<D>(w, updates.step[i], static_cast<std::uint32_t>(c - updates.first[i]), first,
                    table, z);
#pragma unroll
      for (int k = 0; k < block_elements; ++k) u[k] = __fmaf_rn(updates.coefficient[c], z[k], u[k]);
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

// Which elements of a tensor a block of 8 holds: those of [begin, end) from `first`. `whole`: all
// 8, and every pointer to them is aligned.
struct Place {
  std::int64_t first, begin, end;
  bool whole;
};

// 16 bytes at a time; stored weights are read and written once a step, so they pass by the caches
// and leave them to what the next matrix product reads.
template <class T, int Bytes>
__device__ void copy_in(T* to, const void* from) {
  if constexpr (Bytes % 16 == 0) {
#pragma unroll
    for (int v = 0; v < Bytes / 16; ++v)
      reinterpret_cast<uint4*>(to)[v] = __ldcs(static_cast<const uint4*>(from) + v);
  } else {
    *reinterpret_cast<uint2*>(to) = __ldcs(static_cast<const uint2*>(from));
  }
}

template <class T, int Bytes>
__device__ void copy_out(void* to, const T* from) {
  if constexpr (Bytes % 16 == 0) {
#pragma unroll
    for (int v = 0; v < Bytes / 16; ++v)
      __stcs(static_cast<uint4*>(to) + v, reinterpret_cast<const uint4*>(from)[v]);
  } else {
    __stcs(static_cast<uint2*>(to), *reinterpret_cast<const uint2*>(from));
  }
}

template <Storage S>
__device__ void load(const Weights& w, const Place& at, Block<S>& b) {
  using Word = typename Block<S>::Word;
  const Word* words = static_cast<const Word*>(w.words);
  if (at.whole) {
    copy_in<Word, sizeof b.words>(b.words, words + at.first);
    if constexpr (S == Storage::bfloat16_8)
      copy_in<std::uint8_t, block_elements>(b.residual, w.residual + at.first);
    return;
  }
#pragma unroll
  for (int k = 0; k < block_elements; ++k) {
    const bool in = at.first + k >= at.begin && at.first + k < at.end;
    b.words[k] = in ? words[at.first + k] : Word(0);
    if constexpr (S == Storage::bfloat16_8)
      b.residual[k] = in ? w.residual[at.first + k] : std::uint8_t{0};
  }
}

template <Storage S>
__device__ void store(const Weights& w, const Place& at, const Block<S>& b) {
  using Word = typename Block<S>::Word;
  Word* words = static_cast<Word*>(w.words);
  if (at.whole) {
    copy_out<Word, sizeof b.words>(words + at.first, b.words);
    if constexpr (S == Storage::bfloat16_8)
      copy_out<std::uint8_t, block_elements>(w.residual + at.first, b.residual);
    return;
  }
#pragma unroll
  for (int k = 0; k < block_elements; ++k)
    if (at.first + k >= at.begin && at.first + k < at.end) {
      words[at.first + k] = b.words[k];
      if constexpr (S == Storage::bfloat16_8) w.residual[at.first + k] = b.residual[k];
    }
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

template <Distribution D>
__device__ void load_table(const std::uint32_t* source, std::uint32_t* table) {
  if constexpr (D == Distribution::gaussian) {
    for (int i = threadIdx.x; i < 2048; i += blockDim.x) table[i] = source[i];
    __syncthreads();
  }
}

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

// What a pass over a matrix nearly always is: at most one update, of one probe, and the two streams
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

const std::uint32_t* table_on_device() {
  static std::uint32_t* table[64] = {};
  int device = 0;
  C10_CUDA_CHECK(cudaGetDevice(&device));
  if (!table[device]) {
    C10_CUDA_CHECK(cudaMalloc(&table[device], 2048 * sizeof(std::uint32_t)));
    C10_CUDA_CHECK(cudaMemcpy(table[device], half_normal_bits(), 2048 * sizeof(std::uint32_t),
                              cudaMemcpyHostToDevice));
  }
  return table[device];
}

// Blocks of threads that the GPU holds at once.
template <class Kernel>
int resident_blocks(Kernel* kernel, int threads) {
  static int blocks = 0;
  if (!blocks) {
    int device = 0, processors = 0, each = 0;
    C10_CUDA_CHECK(cudaGetDevice(&device));
    C10_CUDA_CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
    C10_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, threads, 0));
    blocks = processors * std::max(1, each);
  }
  return blocks;
}

template <int MostCoefficients>
Updates<MostCoefficients> arguments_of(std::span<const Update> updates) {
  Updates<MostCoefficients> u;
  u.count = static_cast<int>(updates.size());
  int at = 0;
  for (int i = 0; i < u.count; ++i) {
    const Update& update = updates[static_cast<std::size_t>(i)];
    u.step[i] = update.step;
    u.decay[i] = update.decay;
    u.writes[i] = writes(update);
    u.first[i] = at;
    for (const float c : update.coefficients) u.coefficient[at++] = c;
  }
  u.first[u.count] = at;
  return u;
}

Weights weights_of(const WeightPass& pass) {
  Weights w{pass.weights.words, pass.weights.residual, {}};
  PhiloxKey key = pass.key;
  for (PhiloxKey& round : w.round_keys) {
    round = key;
    key = {key.low + philox_w0, key.high + philox_w1};
  }
  return w;
}

constexpr int few_coefficients = 64;

std::size_t coefficients_of(const WeightPass& pass) {
  std::size_t sum = 0;
  for (const Update& u : pass.updates) sum += u.coefficients.size();
  return sum;
}

Streams streams_of(const WeightPass& pass) {
  Streams streams;
  streams.count = static_cast<int>(pass.streams.size());
  streams.step = pass.step;
  streams.dithered = pass.dithered;
  std::copy(pass.streams.begin(), pass.streams.end(), streams.stream);
  return streams;
}

bool is_aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

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
  if (missed[0].coefficients.size() != 1) return std::nullopt;
  u.updates = true;
  u.update_step = missed[0].step;
  u.coefficient = missed[0].coefficients[0];
  u.decay = missed[0].decay;
  return u;
}

template <Storage S, Distribution D, class Out>
void launch_usual(const WeightPass& pass, const Usual& u) {
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

template <Storage S, Distribution D, class Out, int MostCoefficients>
void launch(const WeightPass& pass) {
  const Weights w = weights_of(pass);
  const auto updates = arguments_of<MostCoefficients>(pass.updates);
  const Streams streams = streams_of(pass);
  const std::int64_t row = pass.rows || pass.unit_seen ? pass.width : pass.units * pass.width;
  // Each stream's copy, and each row of it, must begin at a multiple of 16 bytes.
  const bool aligned =
      is_aligned(pass.weights.words) && is_aligned(pass.weights.residual) && is_aligned(pass.out) &&
      ((pass.streams.size() < 2 && !pass.rows && !pass.unit_seen) || row % block_elements == 0);
  const cudaStream_t stream = c10::cuda::getCurrentCUDAStream();
  Out* out = static_cast<Out*>(pass.out);
  const std::uint32_t* table = table_on_device();
  using U = Updates<MostCoefficients>;
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

template <Storage S, Distribution D, class Out>
void launch_sized(const WeightPass& pass) {
  if (const auto usual = usual_form(pass)) return launch_usual<S, D, Out>(pass, *usual);
  if (coefficients_of(pass) <= few_coefficients)
    launch<S, D, Out, few_coefficients>(pass);
  else
    launch<S, D, Out, static_cast<int>(most_coefficients)>(pass);
}

template <Storage S, Distribution D>
void launch_typed(const WeightPass& pass) {
  if (pass.type == at::kFloat)
    launch_sized<S, D, float>(pass);
  else if (pass.type == at::kHalf)
    launch_sized<S, D, __half>(pass);
  else
    launch_sized<S, D, __nv_bfloat16>(pass);
}

template <Storage S>
void launch_distributed(const WeightPass& pass) {
  if (pass.distribution == Distribution::gaussian)
    launch_typed<S, Distribution::gaussian>(pass);
  else
    launch_typed<S, Distribution::rademacher>(pass);
}

template <Distribution D, class Out, int MostCoefficients>
void launch_vectors(std::span<const WeightPass> passes) {
  const auto updates = arguments_of<MostCoefficients>(passes.front().updates);
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

template <Distribution D, class Out>
void launch_vectors_sized(std::span<const WeightPass> passes) {
  if (coefficients_of(passes.front()) <= few_coefficients)
    launch_vectors<D, Out, few_coefficients>(passes);
  else
    launch_vectors<D, Out, static_cast<int>(most_coefficients)>(passes);
}

template <Distribution D>
void launch_vectors_typed(std::span<const WeightPass> passes) {
  const at::ScalarType type = passes.front().type;
  if (type == at::kFloat)
    launch_vectors_sized<D, float>(passes);
  else if (type == at::kHalf)
    launch_vectors_sized<D, __half>(passes);
  else
    launch_vectors_sized<D, __nv_bfloat16>(passes);
}

class CudaWeightKernels : public WeightKernels {
 public:
  void run_vectors(std::span<const WeightPass> passes) const override {
    for (std::size_t i = 0; i < passes.size(); i += Vectors::most) {
      const auto some = passes.subspan(i, std::min<std::size_t>(Vectors::most, passes.size() - i));
      if (some.front().distribution == Distribution::gaussian)
        launch_vectors_typed<Distribution::gaussian>(some);
      else
        launch_vectors_typed<Distribution::rademacher>(some);
    }
  }

  void run(const WeightPass& pass) const override {
    switch (pass.weights.storage) {
      case Storage::float32:
        return launch_distributed<Storage::float32>(pass);
      case Storage::float16:
        return launch_distributed<Storage::float16>(pass);
      case Storage::bfloat16:
        return launch_distributed<Storage::bfloat16>(pass);
      case Storage::bfloat16_8:
        return launch_distributed<Storage::bfloat16_8>(pass);
    }
  }
};

}  // namespace

const WeightKernels& cuda_weight_kernels() {
  static const CudaWeightKernels kernels;
  return kernels;
}

}  // namespace mezo
