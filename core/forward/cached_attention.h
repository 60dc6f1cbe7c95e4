#pragma once
// Attention with a memory of keys and values, for generation: the first forward brings every
// sequence's tokens so far, each later one a token of each sequence, which then sees all that came
// before without computing it again. Used by core/generate.
//
// Memory: of each layer, keys and values [sequences, capacity, kv heads, width] in the type that
// the model computes in, `sequences` those of all streams. A prefix of an adapter stands before a
// sequence's own tokens, in each sequence. Capacity grows by a quarter as it is needed.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/forward/attention.h"
#include "core/forward/attention_kernels.h"
#include "core/forward/packed_attention.h"
#include "core/forward/packed_batch.h"

namespace mezo {

class MEZO_API CachedAttention : public Attention {
 public:
  // `capacity`: tokens of a sequence that there is room for at first, a prefix not counted.
  // `kernels` and `placed` as PackedAttention has them.
  CachedAttention(int streams, std::int64_t capacity, at::Device device = at::kCPU,
                  const AttentionKernels* kernels = nullptr, bool placed = false);

  // Before each forward: what it brings. The first time whole sequences, pieces without parents;
  // then one token of each sequence that is kept, in the same order, its position the next one:
  // std::logic_error otherwise. The batch must outlive the forward.
  void expect(const PackedBatch& batch);

  // Goes on with these sequences alone, ascending, of those there are: the same of each stream.
  void keep(std::span<const std::int64_t> sequences);

  // As Attention has it. Throws ModelError for a layer that is not causal.
  at::Tensor operator()(int layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const AttentionOptions&, const std::optional<KeysValues>& prefix) override;

  std::int64_t bytes() const;  // that the keys and values take

 private:
  struct Layer {
    at::Tensor keys, values;  // [streams * sequences, capacity, kv heads, width]
    std::int64_t prefix = 0;  // tokens of it
  };
  // What the rows of this forward need, the same for all layers with such a prefix and window.
  struct Places {
    std::int64_t prefix = 0, window = 0;
    at::Tensor slots;                // [R] place of each row in a layer's flat cache
    std::optional<at::Tensor> mask;  // [streams * sequences, 1, 1, keys]; nothing: all is seen
  };
  std::int64_t longest() const;
  void make_room(Layer&, const at::Tensor& k, const at::Tensor& v);
  void write_prefix(Layer&, const KeysValues& prefix);
  const Places& places(const Layer&, std::int64_t window, at::ScalarType);
  at::Tensor slots(const Layer&) const;
  at::Tensor mask(std::int64_t prefix, std::int64_t window, at::ScalarType) const;
  at::Tensor attend(const Layer&, const at::Tensor& q, const AttentionOptions&);

  int streams_;
  std::int64_t capacity_;
  at::Device device_;
  const AttentionKernels& kernels_;
  bool placed_;
  std::vector<std::int64_t> lengths_;     // of each sequence, without this forward's tokens
  std::vector<std::int64_t> arriving_;    // tokens of each that this forward brings
  std::optional<PackedAttention> first_;  // the first forward's
  bool begun_ = false;
  std::vector<Layer> layers_;
  std::vector<Places> places_;
};

}  // namespace mezo
