#include "core/forward/attention_kernels.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include <stdexcept>

#include "core/machine/device.h"

namespace mezo {

AttentionKernels::~AttentionKernels() = default;

at::Tensor AttentionKernels::attend(const PaddedSequences& s,
                                    const std::optional<at::Tensor>& mask) const {
  if (mask && s.causal) throw std::logic_error("[AttentionKernels] a mask beside causal");
  const std::int64_t heads = s.q.size(1);
  return at::scaled_dot_product_attention(s.q, repeat_heads(s.k, heads), repeat_heads(s.v, heads),
                                          mask, 0.0, s.causal, s.scale);
}

std::optional<at::Tensor> AttentionKernels::attend_behind(const KeysValues&,
                                                          const PaddedSequences&) const {
  return std::nullopt;
}

at::Tensor repeat_heads(const at::Tensor& x, std::int64_t heads) {
  const std::int64_t own = x.size(1);
  if (own == heads) return x;
  return x.unsqueeze(2)
      .expand({x.size(0), own, heads / own, x.size(2), x.size(3)})
      .reshape({x.size(0), heads, x.size(2), x.size(3)});
}

const AttentionKernels& attention_kernels(bool cuda) {
  static const AttentionKernels plain;
  return cuda && cuda_kernels() ? *cuda_kernels()->attention : plain;
}

}  // namespace mezo
