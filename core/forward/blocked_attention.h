#pragma once
// Attention of padded sequences where a mask must say what a query sees: behind windows, paddings
// that causality does not hide, shared contexts and capped scores. It goes by blocks of queries,
// each with the keys that some query of the block sees, so that no mask, and no capped score, is
// there of all queries and keys at once: of a block, at most [n, 256, keys], or [256, window + 256]
// in a layer with a window. Used by PackedAttention for what kernels without masks cannot do.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/forward/attention_kernels.h"
#include "core/model/adapter.h"
#include "core/model/ops.h"

namespace mezo {

// n sequences padded on the right, those of one stream after the other.
struct PaddedPlaces {
  std::int64_t n = 0, queries = 0, keys = 0;
  bool aligned = true;  // query i of each stands where key i does
  bool equal = true;    // nothing is padded
  at::Tensor query;     // [n, queries, 1] position
  at::Tensor key;       // [n, 1, keys] position; padding lies past every position
};

class MEZO_API BlockedAttention {
 public:
  // q, k, v [n, length, heads, width]; `prefix` [n, length, kv heads, width], which every query
  // sees unless `placed`: then it has the positions before 0, and a window passes it by as it does
  // tokens. Returns [n, heads, queries, width].
  at::Tensor operator()(const AttentionKernels&, const PaddedPlaces&, const at::Tensor& q,
                        const at::Tensor& k, const at::Tensor& v, const AttentionOptions&,
                        const std::optional<KeysValues>& prefix, bool placed, bool sizes_change);

 private:
  // What a mask depends on beyond the places; blocks in the middle of a window are all alike.
  struct Shape {
    bool causal = true, placed = false;
    std::int64_t window = 0, prefix = 0, first_query = 0, queries = 0, first_key = 0, keys = 0;
    at::ScalarType type = at::kFloat;
    bool operator==(const Shape&) const = default;
  };
  std::optional<at::Tensor> mask(const PaddedPlaces&, const Shape&);

  std::vector<std::pair<Shape, at::Tensor>> kept_;
};

}  // namespace mezo
