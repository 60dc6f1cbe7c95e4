#pragma once
// Who computes a forward's attention: the part of StreamOps that knows which rows belong to one
// sequence. The layer's number comes along, so that an implementation may keep something of each
// layer from one forward to the next: keys and values of tokens that were generated before.
// PackedAttention, which keeps nothing, is what StreamOps uses unless it is given another.

#include <ATen/core/Tensor.h>

#include <optional>

#include "core/api.h"
#include "core/model/adapter.h"
#include "core/model/ops.h"

namespace mezo {

class MEZO_API Attention {
 public:
  virtual ~Attention();

  // Shapes and rules as in Ops::attention; the prefix as in Adapter::prefix. A row sees the
  // prefix of its stream before all that it sees otherwise.
  virtual at::Tensor operator()(int layer, const at::Tensor& q, const at::Tensor& k,
                                const at::Tensor& v, const AttentionOptions&,
                                const std::optional<KeysValues>& prefix) = 0;
};

}  // namespace mezo
