// Attention on a GPU: LibTorch's kernels, and behind them one that adds a prefix. A softmax over
// two sets of keys is the mean of the softmaxes over each, weighted by their sums of exponentials;
// so what a query sees of its own sequence is computed as without a prefix, and the few keys of the
// prefix are added in one pass. Joining them to every sequence's keys and values would copy both,
// and cuDNN's attention, the fastest, knows no causal mask that begins behind a prefix.
#include <ATen/Context.h>
#include <ATen/SDPBackend.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_efficient_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>

#include "core/forward/cuda_attention.h"
#include "core/forward/floats.cuh"

namespace mezo {

namespace {

constexpr int threads = 256;
constexpr int part = 8;            // elements of a head that a thread has
constexpr int queries_a_team = 4;  // share what is read of the prefix

// Strides are in elements, of sequence, head and query.
struct Strides {
  std::int64_t n, head, query;
  explicit Strides(const at::Tensor& t) : n(t.stride(0)), head(t.stride(1)), query(t.stride(2)) {}
};

struct PrefixPass {
  const void* q;              // [n, heads, queries, width]
  void* out;                  // the same; holds what the sequence's own keys gave
  const float* log_sum;       // [n, heads, queries] of the exponentials of its own scores
  const void *keys, *values;  // [streams or 1, length, kv heads, width], contiguous
  Strides at_q, at_out, at_log_sum;
  std::int64_t next_keys, next_values;  // elements to the next stream's: 0 of what all share
  int sequences_a_stream;
  int queries, length, kv_heads, width, heads_a_key;
  float scale;
};

// Teams of Lanes threads have one head of some queries each.
template <class T, int Lanes>
__global__ void __launch_bounds__(threads) add_prefix(PrefixPass pass) {
  using Part = Pack<T, part>;
  constexpr int Q = queries_a_team;
  const int n = blockIdx.x, head = blockIdx.y, from = threadIdx.x % Lanes * part;
  const int first = (blockIdx.z * (threads / Lanes) + threadIdx.x / Lanes) * Q;
  const bool live = from < pass.width && first < pass.queries;
  const auto query = [&](int i) { return min(first + i, pass.queries - 1); };

  T* const out = static_cast<T*>(pass.out) + n * pass.at_out.n + head * pass.at_out.head + from;
  const T* const q = static_cast<const T*>(pass.q) + n * pass.at_q.n + head * pass.at_q.head + from;
  const float* const log_sum = pass.log_sum + n * pass.at_log_sum.n + head * pass.at_log_sum.head;
  Part asked[Q] = {};
  float sum[Q][part] = {}, largest[Q], total[Q];  // of weights exp(score - largest)
#pragma unroll
  for (int i = 0; i < Q; ++i) {
    largest[i] = log_sum[query(i) * pass.at_log_sum.query];
    total[i] = 1;
    if (!live) continue;
    asked[i] = *reinterpret_cast<const Part*>(q + query(i) * pass.at_q.query);
    const Part own = *reinterpret_cast<const Part*>(out + query(i) * pass.at_out.query);
#pragma unroll
    for (int e = 0; e < part; ++e) sum[i][e] = wide(own.values[e]);
  }

  const std::int64_t row = static_cast<std::int64_t>(pass.kv_heads) * pass.width;
  const std::int64_t stream = n / pass.sequences_a_stream;
  const std::int64_t start = head / pass.heads_a_key * pass.width + from;
  const T* const keys = static_cast<const T*>(pass.keys) + stream * pass.next_keys + start;
  const T* const values = static_cast<const T*>(pass.values) + stream * pass.next_values + start;
  for (int j = 0; j < pass.length; ++j) {
    Part key = {}, value = {};
    if (live) {
      key = *reinterpret_cast<const Part*>(keys + j * row);
      value = *reinterpret_cast<const Part*>(values + j * row);
    }
#pragma unroll
    for (int i = 0; i < Q; ++i) {
      float score = 0;
#pragma unroll
      for (int e = 0; e < part; ++e)
        score = fmaf(wide(asked[i].values[e]), wide(key.values[e]), score);
#pragma unroll
      for (int offset = Lanes / 2; offset > 0; offset /= 2)
        score += __shfl_xor_sync(0xFFFFFFFFu, score, offset);
      score *= pass.scale;
      const float most = fmaxf(largest[i], score);
      const float before = __expf(largest[i] - most), weight = __expf(score - most);
      largest[i] = most;
      total[i] = fmaf(total[i], before, weight);
#pragma unroll
      for (int e = 0; e < part; ++e)
        sum[i][e] = fmaf(sum[i][e], before, weight * wide(value.values[e]));
    }
  }
#pragma unroll
  for (int i = 0; i < Q; ++i) {
    if (!live || first + i >= pass.queries) continue;
    Part result;
#pragma unroll
    for (int e = 0; e < part; ++e) result.values[e] = narrowed<T>(sum[i][e] / total[i]);
    *reinterpret_cast<Part*>(out + query(i) * pass.at_out.query) = result;
  }
}

template <class T, int Lanes>
void launch(const PrefixPass& pass, std::int64_t n, std::int64_t heads) {
  constexpr int queries = threads / Lanes * queries_a_team;  // of a block
  const dim3 grid(static_cast<unsigned>(n), static_cast<unsigned>(heads),
                  static_cast<unsigned>((pass.queries + queries - 1) / queries));
  add_prefix<T, Lanes><<<grid, threads, 0, c10::cuda::getCurrentCUDAStream()>>>(pass);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

template <class T>
void run(const PrefixPass& pass, std::int64_t n, std::int64_t heads) {
  const int parts = pass.width / part;
  if (parts > 16)
    launch<T, 32>(pass, n, heads);
  else if (parts > 8)
    launch<T, 16>(pass, n, heads);
  else if (parts > 4)
    launch<T, 8>(pass, n, heads);
  else
    launch<T, 4>(pass, n, heads);
}

// Whether a thread can read its part of a head at once.
bool in_parts(const at::Tensor& t) {
  return aligned(t.const_data_ptr()) && t.stride(3) == 1 && t.stride(0) % part == 0 &&
         t.stride(1) % part == 0 && t.stride(2) % part == 0;
}

// cuDNN's attention is the fastest on some GPUs, but makes a plan, tens of milliseconds long, for
// every size that is new to it. So it is left out where sizes change with every batch, and where
// sequences are too short for a forward to outweigh its plan.
class CudnnAttention {
 public:
  explicit CudnnAttention(const PaddedSequences& s)
      : before_(at::globalContext().userEnabledCuDNNSDP()) {
    at::globalContext().setSDPUseCuDNN(before_ && !s.sizes_change && s.q.size(2) >= least_length);
  }
  ~CudnnAttention() { at::globalContext().setSDPUseCuDNN(before_); }
  CudnnAttention(const CudnnAttention&) = delete;
  CudnnAttention& operator=(const CudnnAttention&) = delete;

 private:
  static constexpr std::int64_t least_length = 256;
  bool before_;
};

struct Attended {
  at::Tensor out;      // [n, heads, queries, width]
  at::Tensor log_sum;  // [n, heads, queries or more] fp32
};

// Attention by the kernel that LibTorch would choose; nothing where it would write plain
// operations instead.
std::optional<Attended> attend_with_sums(const at::Tensor& q, const at::Tensor& k,
                                         const at::Tensor& v, bool causal, double scale) {
  switch (static_cast<at::SDPBackend>(at::_fused_sdp_choice(q, k, v, {}, 0.0, causal, scale))) {
    case at::SDPBackend::cudnn_attention: {
      auto r = at::_scaled_dot_product_cudnn_attention(q, k, v, {}, /*compute_log_sumexp=*/true,
                                                       0.0, causal, false, scale);
      return Attended{std::get<0>(r), std::get<1>(r)};
    }
    case at::SDPBackend::flash_attention: {
      auto r = at::_scaled_dot_product_flash_attention(q, k, v, 0.0, causal, false, scale);
      return Attended{std::get<0>(r), std::get<1>(r)};
    }
    case at::SDPBackend::efficient_attention: {
      auto r = at::_scaled_dot_product_efficient_attention(q, k, v, {}, true, 0.0, causal, scale);
      return Attended{std::get<0>(r), std::get<1>(r)};
    }
    default:
      return std::nullopt;
  }
}

class CudaAttentionKernels : public AttentionKernels {
 public:
  // What FlashAttention asks for (Dao 2023, arXiv 2307.08691).
  bool packs(const at::Tensor& q, const at::Tensor& v) const override {
    return (q.scalar_type() == at::kHalf || q.scalar_type() == at::kBFloat16) &&
           q.size(2) % 8 == 0 && q.size(2) <= 256 && v.size(2) == q.size(2);
  }

  at::Tensor attend_packed(const PackedSequences& s) const override {
    std::optional<std::int64_t> before, behind;
    if (s.window > 0) {
      before = s.window - 1;
      behind = s.causal ? 0 : s.window - 1;
    }
    return std::get<0>(at::_flash_attention_forward(s.q, s.k, s.v, s.query_ends, s.key_ends,
                                                    s.longest_queries, s.longest_keys, 0.0,
                                                    s.causal, false, s.scale, before, behind));
  }

  at::Tensor attend(const PaddedSequences& s,
                    const std::optional<at::Tensor>& mask) const override {
    const CudnnAttention choice(s);
    return AttentionKernels::attend(s, mask);
  }

  std::optional<at::Tensor> attend_behind(const KeysValues& prefix,
                                          const PaddedSequences& s) const override {
    const std::int64_t n = s.q.size(0), heads = s.q.size(1), width = s.q.size(3);
    const at::Tensor keys = prefix.keys.contiguous(), values = prefix.values.contiguous();
    // The pass writes into what attention gave, unseen by autograd.
    if (learns(prefix, s)) return std::nullopt;
    if (width % part != 0 || width > 32 * part || !in_parts(s.q) || !in_parts(keys) ||
        !in_parts(values))
      return std::nullopt;
    const CudnnAttention choice(s);
    const auto own = attend_with_sums(s.q, repeat_heads(s.k, heads), repeat_heads(s.v, heads),
                                      s.causal, s.scale);
    if (!own || !in_parts(own->out)) return std::nullopt;
    const PrefixPass pass{s.q.const_data_ptr(),
                          own->out.mutable_data_ptr(),
                          own->log_sum.const_data_ptr<float>(),
                          keys.const_data_ptr(),
                          values.const_data_ptr(),
                          Strides(s.q),
                          Strides(own->out),
                          Strides(own->log_sum),
                          keys.size(0) == 1 ? 0 : keys.stride(0),
                          values.size(0) == 1 ? 0 : values.stride(0),
                          static_cast<int>(n / std::max(keys.size(0), values.size(0))),
                          static_cast<int>(s.q.size(2)),
                          static_cast<int>(keys.size(1)),
                          static_cast<int>(keys.size(2)),
                          static_cast<int>(width),
                          static_cast<int>(heads / keys.size(2)),
                          static_cast<float>(s.scale)};
    typed(s.q.scalar_type(), [&](auto type) { run<decltype(type)>(pass, n, heads); });
    return own->out;
  }
};

}  // namespace

const AttentionKernels& cuda_attention_kernels() {
  static const CudaAttentionKernels kernels;
  return kernels;
}

}  // namespace mezo
