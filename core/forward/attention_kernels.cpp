#include "core/forward/attention_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

#include "core/machine/device.h"

namespace mezo {

namespace {

constexpr std::int64_t most_scores = 1 << 24;

// Scores [n, heads, queries, keys] in fp32 from their product on, as the softmax wants them.
at::Tensor capped_scores(const PaddedSequences& s, const std::optional<at::Tensor>& mask) {
  const at::Tensor product = at::matmul(s.q, s.k.transpose(2, 3)).to(at::kFloat);
  const at::Tensor scores = (product * s.scale / s.score_cap).tanh() * s.score_cap;
  return mask ? scores + *mask : scores;
}

// s with every key and value head repeated.
at::Tensor attend_capped(const PaddedSequences& s, const std::optional<at::Tensor>& mask) {
  const std::int64_t n = s.q.size(0),
                     of_one = std::max<std::int64_t>(1, s.q.size(1) * s.q.size(2) * s.k.size(2)),
                     step = std::max<std::int64_t>(1, most_scores / of_one);
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < n; begin += step) {
    const auto part = [&](const at::Tensor& t) {
      return t.size(0) == 1 ? t : t.narrow(0, begin, std::min(step, n - begin));
    };
    PaddedSequences some = s;
    some.q = part(s.q);
    some.k = part(s.k);
    const at::Tensor scores = capped_scores(some, mask ? std::optional(part(*mask)) : std::nullopt);
    parts.push_back(at::matmul(scores.softmax(-1).to(s.v.scalar_type()), part(s.v)));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

}  // namespace

AttentionKernels::~AttentionKernels() = default;

at::Tensor AttentionKernels::attend(const PaddedSequences& s,
                                    const std::optional<at::Tensor>& mask) const {
  if (s.causal && (mask || s.score_cap > 0))
    throw std::logic_error("[AttentionKernels] causal beside a mask or a cap, which needs one");
  const std::int64_t heads = s.q.size(1);
  if (s.score_cap > 0) {
    PaddedSequences all = s;
    all.k = repeat_heads(s.k, heads);
    all.v = repeat_heads(s.v, heads);
    return attend_capped(all, mask);
  }
  return at::scaled_dot_product_attention(s.q, repeat_heads(s.k, heads), repeat_heads(s.v, heads),
                                          mask, 0.0, s.causal, s.scale);
}

bool AttentionKernels::packs(const at::Tensor&, const at::Tensor&) const { return false; }

at::Tensor AttentionKernels::attend_packed(const PackedSequences&) const {
  throw std::logic_error("[AttentionKernels] rows that are packed for kernels that take none");
}

std::optional<at::Tensor> AttentionKernels::attend_behind(const KeysValues& prefix,
                                                          const PaddedSequences& s) const {
  if (!s.q.device().is_cpu() || learns(prefix, s) || s.v.size(3) != s.q.size(3))
    return std::nullopt;
  const std::int64_t n = s.q.size(0), heads = s.q.size(1);
  const auto own = [&](const at::Tensor& x) { return repeat_heads(x, heads); };
  const auto shared = [&](const at::Tensor& x) {
    return own(repeat_streams(x, n).transpose(1, 2));
  };
  const auto [out, log_sum] = at::_scaled_dot_product_flash_attention_for_cpu(
      s.q, own(s.k), own(s.v), 0.0, s.causal, {}, s.scale);
  const auto [before, log_sum_before] = at::_scaled_dot_product_flash_attention_for_cpu(
      s.q, shared(prefix.keys), shared(prefix.values), 0.0, false, {}, s.scale);
  const at::Tensor share = at::sigmoid(log_sum_before - log_sum).unsqueeze(-1);
  return at::lerp(out.to(at::kFloat), before.to(at::kFloat), share).to(s.q.scalar_type());
}

at::Tensor repeat_heads(const at::Tensor& x, std::int64_t heads) {
  const std::int64_t own = x.size(1);
  if (own == heads) return x;
  return x.unsqueeze(2)
      .expand({x.size(0), own, heads / own, x.size(2), x.size(3)})
      .reshape({x.size(0), heads, x.size(2), x.size(3)});
}

at::Tensor repeat_streams(const at::Tensor& x, std::int64_t n) {
  const std::int64_t streams = x.size(0);
  return x.unsqueeze(1)
      .expand({streams, n / streams, x.size(1), x.size(2), x.size(3)})
      .reshape({n, x.size(1), x.size(2), x.size(3)});
}

at::Tensor mask_of(const at::Tensor& seen, at::ScalarType type) {
  const std::int64_t keys = seen.size(2);
  at::Tensor mask =
      at::zeros({seen.size(0), seen.size(1), (keys + 15) / 16 * 16}, seen.options().dtype(type))
          .narrow(2, 0, keys);
  mask.masked_fill_(seen.logical_not(), -std::numeric_limits<double>::infinity());
  return mask.unsqueeze(1);
}

bool learns(const KeysValues& prefix, const PaddedSequences& s) {
  return at::GradMode::is_enabled() &&
         (s.q.requires_grad() || s.k.requires_grad() || s.v.requires_grad() ||
          prefix.keys.requires_grad() || prefix.values.requires_grad());
}

const AttentionKernels& attention_kernels(bool cuda) {
  static const AttentionKernels plain;
  return cuda && cuda_kernels() ? *cuda_kernels()->attention : plain;
}

}  // namespace mezo
