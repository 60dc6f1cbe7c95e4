#pragma once
// The host's Ops: the same arithmetic for evaluation (one stream) and training (two or more), over
// whatever ParameterSource it is given, on the device and in the type that it names. One object
// serves one batch. A matrix of each stream's own is one product a stream; a matrix that all share
// is one product over all rows; what an adapter adds is small and each stream's own. No stream's
// rows are padded or copied for another's.

#include <optional>
#include <span>

#include "core/forward/activations.h"
#include "core/forward/attention.h"
#include "core/forward/matmul.h"
#include "core/forward/network.h"
#include "core/forward/packed_attention.h"
#include "core/forward/packed_batch.h"
#include "core/forward/rotation.h"
#include "core/model/ops.h"
#include "core/model/parameter_source.h"

namespace mezo {

// By how much an adapter shifts positions; 0 where there is none. Only a prefix with a shift has a
// place that a window can pass by.
MEZO_API std::int64_t position_shift(const AttachedAdapter* adapter);

class MEZO_API StreamOps : public Ops {
 public:
  // `batch` and `adapter` must outlive this object; the latter has its part in linear() and
  // attention(). So must `attention`, which computes the latter; null: attention over this batch
  // alone.
  StreamOps(ParameterSource& source, const PackedBatch& batch,
            const AttachedAdapter* adapter = nullptr, Attention* attention = nullptr);
  ~StreamOps() override;

  // What the model's hidden() is given: the batch's rows, once for each stream.
  const Batch& batch() const { return batch_; }
  int streams() const { return streams_; }

  // From now on a vocabulary head gives only these columns, in this order: entries [U] int64 on the
  // source's device, ascending without repetition.
  void select_vocabulary(at::Tensor entries) { vocabulary_ = std::move(entries); }

  // Nothing reads other rows of hidden() than these of each stream: in this order, each
  // once.
  void read_only(std::span<const std::int64_t> rows);
  // Whether hidden() was made of these rows alone; else it has all.
  bool left_rows_out() const { return left_rows_out_; }

  at::Tensor enter_layer(int layer, const at::Tensor& x) override;
  at::Tensor embedding(const Embedding&, const at::Tensor& ids) override;
  at::Tensor linear(const Linear&, const at::Tensor& x) override;
  at::Tensor activated(const Linear&, const at::Tensor& x, const Activation&) override;
  at::Tensor still_read(const at::Tensor& x) override;
  at::Tensor layer_norm(const Norm&, const at::Tensor& x, double epsilon) override;
  at::Tensor rms_norm(const Norm&, const at::Tensor& x, double epsilon) override;
  at::Tensor add(Parameter vector, const at::Tensor& x) override;
  at::Tensor scale(Parameter vector, const at::Tensor& x) override;
  at::Tensor rope(const at::Tensor& x, const Rotary& rotary) override;
  at::Tensor attention(int layer, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const AttentionOptions&) override;

 private:
  at::Tensor base_linear(const Linear&, const at::Tensor& x, AndThen then = AndThen::nothing);
  at::Tensor gain(const Norm&);

  ParameterSource& source_;
  const AttachedAdapter* adapter_;  // null: none
  int streams_;
  bool same_ids_;  // of all streams
  Batch batch_;
  Rotation rotation_;
  std::optional<at::Tensor> read_;  // rows of all streams, where not all are read
  std::optional<Rotation> read_rotation_;
  bool left_rows_out_ = false;
  const ActivationKernels& activations_;
  std::optional<at::Tensor> vocabulary_;
  std::optional<PackedAttention> own_attention_;
  Attention& attention_;
};

}  // namespace mezo
