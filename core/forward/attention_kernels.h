#pragma once
// Scaled-dot-product attention of padded sequences, as PackedAttention needs it. The plain version
// is LibTorch's on any device; the CUDA library picks among LibTorch's kernels and adds a prefix
// without joining it to the keys and values. Capped scores are in none of these kernels: they are
// written out, of as many sequences at a time as have 2^24 of them (64 MiB in fp32), of one at
// least.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "core/api.h"
#include "core/model/adapter.h"

namespace mezo {

// n sequences, padded to one size on the right: q [n, heads, queries, width], k and v
// [n, kv heads, keys, width], each of which serves heads / kv heads query heads.
struct PaddedSequences {
  at::Tensor q, k, v;
  double scale = 1;
  bool causal = true;         // a query sees the keys up to its own place; false: all of them
  bool sizes_change = false;  // gathered from a packed batch: the next one's sizes will be others
  double score_cap = 0;       // > 0: scores s become cap * tanh(s / cap)
};

// n sequences end to end, without padding: q [rows, heads, width]; k and v [key rows, kv heads,
// width], where each sequence has at least as many keys as queries, which are its last.
struct PackedSequences {
  at::Tensor q, k, v;
  at::Tensor query_ends, key_ends;  // [n + 1] int32: where each begins, and the last one's end
  std::int64_t longest_queries = 0, longest_keys = 0;
  double scale = 1;
  bool causal = true;
  std::int64_t window = 0;  // as AttentionOptions has it
};

class MEZO_API AttentionKernels {
 public:
  virtual ~AttentionKernels();

  // Whether attend_packed() takes such rows. It needs no padding and makes no mask.
  virtual bool packs(const at::Tensor& q, const at::Tensor& v) const;
  // [rows, heads, width].
  virtual at::Tensor attend_packed(const PackedSequences&) const;

  // [n, heads, queries, width]. `mask` [n or 1, 1, queries, keys], added to the scores, hides
  // whatever is to be hidden: std::logic_error beside `causal`.
  virtual at::Tensor attend(const PaddedSequences&, const std::optional<at::Tensor>& mask) const;

  // attend() without a mask or a cap, where a query sees its stream's prefix whole too: keys and
  // values [S or 1, length, kv heads, width] in q's type, n / S sequences a stream. Nothing if
  // these kernels do not do that, as where autograd looks on; then join the prefix to the keys and
  // values, and bring a mask. A softmax over two sets of keys is the mean of the softmaxes over
  // each, weighted by their sums of exponentials.
  virtual std::optional<at::Tensor> attend_behind(const KeysValues& prefix,
                                                  const PaddedSequences&) const;
};

// x [n, kv heads, length, width], each head repeated for the query heads that it serves.
MEZO_API at::Tensor repeat_heads(const at::Tensor& x, std::int64_t heads);

// x [S or 1, length, heads, width], once for each of n sequences, those of a stream together: [n,
// length, heads, width].
MEZO_API at::Tensor repeat_streams(const at::Tensor& x, std::int64_t n);

// What a mask of `seen` [n or 1, queries or 1, keys] adds to scores: 0 where a query sees a key,
// minus infinity elsewhere, [n or 1, 1, queries or 1, keys]. Rows begin at multiples of 16
// elements, which a GPU's kernels ask for.
MEZO_API at::Tensor mask_of(const at::Tensor& seen, at::ScalarType type);

// Whether autograd looks on, so that results may not be put together behind its back.
MEZO_API bool learns(const KeysValues& prefix, const PaddedSequences&);

MEZO_API const AttentionKernels& attention_kernels(bool cuda);

}  // namespace mezo
