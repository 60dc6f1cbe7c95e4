#pragma once
// Attention over packed rows: gathers the rows of each piece into a padded [pieces, heads,
// length, width] tensor, runs scaled-dot-product attention, and scatters back. The index tensors
// are made once a batch and serve every layer. Pieces without a parent are padded on the right, so
// that under causal attention no mask is needed, nor where all are equally long and see everything;
// then nothing is gathered either. A window that no sequence is longer than changes nothing. Where
// the device has kernels for rows as they lie (16 bits on a GPU), nothing is padded and no mask is
// made: only equally long sequences still take the other way, which is faster for them. What is
// left goes by blocks of queries (blocked_attention.h): no mask is of all queries and keys.

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "core/forward/attention.h"
#include "core/forward/attention_kernels.h"
#include "core/forward/blocked_attention.h"
#include "core/forward/packed_batch.h"

namespace mezo {

class MEZO_API PackedAttention : public Attention {
 public:
  // Rows are those of `batch`, which must outlive this object, `streams` times over, on the device.
  // `kernels`: null for the device's own. `placed`: a prefix has the positions before the rows'
  // own, so a window passes it by as it does tokens; otherwise every row sees it whole.
  PackedAttention(const PackedBatch& batch, int streams, at::Device device = at::kCPU,
                  const AttentionKernels* kernels = nullptr, bool placed = false);

  // Throws ModelError where a layer that is not causal meets a piece that has a parent: the parent
  // was computed without what follows it.
  at::Tensor operator()(int layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const AttentionOptions&,
                        const std::optional<KeysValues>& prefix = std::nullopt) override;

 private:
  struct Group {  // n pieces computed together; all tensors repeat for each stream
    std::int64_t n = 0, queries = 0, keys = 0;
    bool continues = false;  // its pieces have parents
    bool equal = true;       // all see as many keys: nothing is padded
    bool in_order = false;   // padded queries and keys are the rows as they lie
    at::Tensor query_rows;   // [n * queries] row of each padded query
    at::Tensor key_rows;     // [n * keys] row of each padded key
    PaddedPlaces places;
    BlockedAttention blocks;
  };
  Group make_group(const PackedBatch&, const std::vector<int>& members, int streams) const;

  // The same rows without padding, for kernels that take them so.
  struct Packed {
    std::optional<at::Tensor>
        key_rows;  // those that each piece sees; nothing: the rows as they lie
    at::Tensor query_ends, key_ends;
    std::int64_t longest_queries = 0, longest_keys = 0;
  };
  void make_packed();
  at::Tensor attend_packed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const AttentionOptions&);
  // Of padded queries, keys and values [n, length, heads, width]: [n, heads, queries, width].
  at::Tensor attend(Group&, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const AttentionOptions&, const std::optional<KeysValues>& prefix) const;
  const at::Tensor& mask(Group&, const AttentionOptions&, std::int64_t prefix,
                         at::ScalarType) const;

  const PackedBatch& batch_;
  int streams_;
  at::Device device_;
  const AttentionKernels& kernels_;
  bool placed_;
  std::vector<Group> groups_;
  std::optional<Packed> packed_;  // once it was needed
  at::Tensor back_;  // [R] place of each row in the groups' padded outputs, laid end to end
};

}  // namespace mezo
