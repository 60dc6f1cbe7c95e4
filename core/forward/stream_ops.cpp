#include "core/forward/stream_ops.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/zeros.h>

#include <stdexcept>

#include "core/error.h"
#include "core/forward/index_tensor.h"
#include "core/forward/matmul.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

at::Tensor ids_of_streams(const PackedBatch& batch, std::int64_t streams, at::Device device) {
  if (batch.ids_differ() == 0) return index_tensor(batch.ids(), device).repeat({streams});
  if (batch.ids_differ() != streams)
    throw std::logic_error("[StreamOps] a batch with ids of its own for another number of streams");
  std::vector<std::int64_t> ids;
  for (int s = 0; s < streams; ++s) ids.insert(ids.end(), batch.ids(s).begin(), batch.ids(s).end());
  return index_tensor(ids, device);
}

// The batch's rows, once for each stream.
Batch rows_of_streams(const PackedBatch& batch, const ParameterSource& source,
                      const AttachedAdapter* adapter) {
  const std::int64_t streams = source.streams();
  Batch rows{ids_of_streams(batch, streams, source.device()),
             index_tensor(batch.positions(), source.device()).repeat({streams})};
  if (const std::int64_t shift = position_shift(adapter); shift != 0)
    rows.positions = rows.positions + shift;
  return rows;
}

// What Adapter::prefix() promises, beside a layer's own keys and values.
void check(const KeysValues& prefix, int streams, const at::Tensor& k, const at::Tensor& v) {
  const auto fits = [&](const at::Tensor& x, const at::Tensor& own) {
    return x.dim() == 4 && (x.size(0) == 1 || x.size(0) == streams) &&
           x.size(1) == prefix.keys.size(1) && x.size(2) == own.size(1) &&
           x.size(3) == own.size(2) && x.scalar_type() == own.scalar_type() &&
           x.device() == own.device();
  };
  if (!fits(prefix.keys, k) || !fits(prefix.values, v))
    throw PluginError(
        "[Adapter] a prefix is [streams or 1, length, kv heads, width] of its layer, in the type "
        "that the model computes in; this one is not");
}

}  // namespace

Ops::~Ops() = default;

at::Tensor Ops::activated(const Linear& map, const at::Tensor& x, const Activation& activation) {
  return activation(linear(map, x));
}

at::Tensor Ops::still_read(const at::Tensor& x) { return x; }

StreamOps::~StreamOps() = default;

std::int64_t position_shift(const AttachedAdapter* adapter) {
  if (!adapter || !*adapter) return 0;
  return guard(adapter->component, [&] { return adapter->adapter->position_shift(); });
}

StreamOps::StreamOps(ParameterSource& source, const PackedBatch& batch,
                     const AttachedAdapter* adapter, Attention* attention)
    : source_(source),
      adapter_(adapter && *adapter ? adapter : nullptr),
      streams_(source.streams()),
      same_ids_(batch.ids_differ() == 0),
      batch_(rows_of_streams(batch, source, adapter)),
      rotation_(batch_.positions),
      activations_(activation_kernels(source.device().is_cuda())),
      attention_(attention ? *attention
                           : own_attention_.emplace(batch, streams_, source.device(), nullptr,
                                                    position_shift(adapter) != 0)) {}

at::Tensor StreamOps::enter_layer(int, const at::Tensor& x) { return x; }

at::Tensor StreamOps::embedding(const Embedding& e, const at::Tensor& ids) {
  const std::int64_t n = ids.size(0) / streams_;
  if (same_ids_) {  // then whatever is computed from ids and positions is the same too
    const at::Tensor rows = source_.rows(e.weight, ids.narrow(0, 0, n));
    return rows.expand({streams_, n, rows.size(2)}).reshape({-1, rows.size(2)});
  }
  // Every stream's entries under every stream, of which each needs its own: a few rows, as tokens
  // differ only where they are generated.
  const at::Tensor rows = source_.rows(e.weight, ids);
  if (rows.size(0) == 1) return rows[0];
  std::vector<at::Tensor> own;
  for (int s = 0; s < streams_; ++s) own.push_back(rows[s].narrow(0, s * n, n));
  return at::cat(own);
}

at::Tensor StreamOps::linear(const Linear& map, const at::Tensor& x) {
  at::Tensor y = base_linear(map, x);
  if (adapter_ && !map.vocabulary)
    guard(
        adapter_->component, [&] { adapter_->adapter->linear(source_, map, x, y); },
        "changing a linear map");
  return y;
}

// What an adapter adds comes before the activation.
at::Tensor StreamOps::activated(const Linear& map, const at::Tensor& x,
                                const Activation& activation) {
  if (!activation.is_relu || adapter_) return Ops::activated(map, x, activation);
  return base_linear(map, x, AndThen::relu);
}

at::Tensor StreamOps::base_linear(const Linear& map, const at::Tensor& x, AndThen then) {
  const bool selected = map.vocabulary && vocabulary_;
  at::Tensor bias;
  if (map.bias) {  // before the matrix, which the source's next call may overwrite
    bias = source_.addend(map.bias);
    if (selected) bias = bias.index_select(1, *vocabulary_);
  }
  const at::Tensor w =
      selected ? source_.rows(map.weight, *vocabulary_) : source_.whole(map.weight);
  const auto bias_of = [&](std::int64_t s) {
    return bias.defined() ? bias[bias.size(0) == 1 ? 0 : s] : bias;
  };
  if (w.size(0) == 1 && (!bias.defined() || bias.size(0) == 1))
    return multiply(x, w[0], map.layout, bias_of(0), then);
  const std::int64_t n = x.size(0) / streams_;
  at::Tensor out =
      at::empty({x.size(0), map.layout == Layout::out_in ? w.size(1) : w.size(2)}, x.options());
  for (int s = 0; s < streams_; ++s)
    multiply_into(out.narrow(0, s * n, n), x.narrow(0, s * n, n), w[w.size(0) == 1 ? 0 : s],
                  map.layout, bias_of(s), then);
  return out;
}

at::Tensor StreamOps::gain(const Norm& norm) {
  const at::Tensor stored = source_.whole(norm.gain);
  return norm.offset == 0 ? stored : stored + norm.offset;
}

at::Tensor StreamOps::layer_norm(const Norm& norm, const at::Tensor& x, double epsilon) {
  return activations_.layer_norm(x, gain(norm), source_.whole(norm.bias), epsilon);
}

at::Tensor StreamOps::rms_norm(const Norm& norm, const at::Tensor& x, double epsilon) {
  return activations_.rms_norm(x, gain(norm), epsilon);
}

at::Tensor StreamOps::add(Parameter vector, const at::Tensor& x) {
  const at::Tensor v = source_.whole(vector).unsqueeze(1);
  return (by_stream(x.to(at::kFloat), v.squeeze(1)) + v).view(x.sizes()).to(x.scalar_type());
}

at::Tensor StreamOps::scale(Parameter vector, const at::Tensor& x) {
  const at::Tensor v = source_.whole(vector).unsqueeze(1);
  return (by_stream(x.to(at::kFloat), v.squeeze(1)) * v).view(x.sizes()).to(x.scalar_type());
}

void StreamOps::read_only(std::span<const std::int64_t> rows) {
  const std::int64_t all = batch_.ids.size(0) / streams_;
  if (static_cast<std::int64_t>(rows.size()) == all) return;
  std::vector<std::int64_t> of_streams;
  for (int s = 0; s < streams_; ++s)
    for (const std::int64_t row : rows) of_streams.push_back(s * all + row);
  read_ = index_tensor(of_streams, source_.device());
}

at::Tensor StreamOps::still_read(const at::Tensor& x) {
  if (!read_) return x;
  left_rows_out_ = true;
  return x.index_select(0, *read_);
}

at::Tensor StreamOps::rope(const at::Tensor& x, const Rotary& rotary) {
  if (!left_rows_out_ || x.size(0) == batch_.ids.size(0)) return rotation_(x, rotary);
  if (!read_rotation_) read_rotation_.emplace(batch_.positions.index_select(0, *read_));
  return (*read_rotation_)(x, rotary);
}

at::Tensor StreamOps::attention(int layer, const at::Tensor& q, const at::Tensor& k,
                                const at::Tensor& v, const AttentionOptions& options) {
  std::optional<KeysValues> prefix;
  if (adapter_)
    guard(
        adapter_->component,
        [&] {
          prefix = adapter_->adapter->prefix(source_, layer);
          if (prefix) check(*prefix, streams_, k, v);
        },
        "making a prefix");
  if (q.size(0) == k.size(0)) return attention_(layer, q, k, v, options, prefix);
  // Who sees whom is known of all rows; queries cost little beside the maps that they are spared.
  const at::Tensor all = at::zeros({k.size(0), q.size(1), q.size(2)}, q.options());
  return attention_(layer, all.index_copy(0, *read_, q), k, v, options, prefix)
      .index_select(0, *read_);
}

}  // namespace mezo
