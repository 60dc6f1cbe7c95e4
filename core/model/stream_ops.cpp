#include "core/model/stream_ops.h"

#include <ATen/ops/_unique2.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/native_layer_norm.h>
#include <ATen/ops/rsqrt.h>

#include "core/model/matmul.h"

namespace mezo {

Ops::~Ops() = default;
StreamOps::~StreamOps() = default;

namespace {

at::Tensor tiled(std::span<const std::int64_t> values, int streams) {
  const auto n = static_cast<std::int64_t>(values.size());
  at::Tensor t = at::empty({n}, at::kLong);
  std::copy(values.begin(), values.end(), t.mutable_data_ptr<std::int64_t>());
  return t.repeat({streams});
}

at::Tensor stream_of(const at::Tensor& x, std::int64_t s) {
  return x.select(0, x.size(0) == 1 ? 0 : s);
}

}  // namespace

StreamOps::StreamOps(ParameterSource& source, const PackedBatch& batch)
    : source_(source),
      streams_(source.streams()),
      batch_{tiled(batch.ids(), streams_), tiled(batch.positions(), streams_)},
      attention_(std::make_unique<PackedAttention>(batch, streams_)) {}

at::Tensor StreamOps::by_stream(const at::Tensor& x) const {
  return x.view({streams_, x.size(0) / streams_, x.size(1)});
}

at::Tensor StreamOps::vector_of(Parameter p) { return source_.whole(p).unsqueeze(1); }

at::Tensor StreamOps::enter_layer(int, const at::Tensor& x) { return x; }

at::Tensor StreamOps::embedding(const Embedding& e, const at::Tensor& ids) {
  // Every stream asks for the same entries: find the distinct ones once.
  const at::Tensor own = ids.narrow(0, 0, ids.size(0) / streams_);
  const auto [entries, inverse, counts] =
      at::_unique2(own, /*sorted=*/true, /*return_inverse=*/true);
  const at::Tensor rows = source_.rows(e.weight, entries);
  at::Tensor out = at::empty({ids.size(0), rows.size(2)}, rows.options());
  for (int s = 0; s < streams_; ++s) {
    at::Tensor part = out.narrow(0, s * own.size(0), own.size(0));
    at::index_select_out(part, stream_of(rows, s), 0, inverse);
  }
  return out;
}

at::Tensor StreamOps::linear(const Linear& map, const at::Tensor& x) {
  const bool selected = map.vocabulary && vocabulary_;
  at::Tensor bias;
  if (map.bias) {  // before the matrix, which the source's next call may overwrite
    bias = source_.whole(map.bias);
    if (selected) bias = bias.index_select(1, *vocabulary_);
  }
  const at::Tensor w =
      selected ? source_.rows(map.weight, *vocabulary_) : source_.whole(map.weight);
  if (streams_ == 1)
    return multiply(x, stream_of(w, 0), map.layout, bias.defined() ? stream_of(bias, 0) : bias);
  const std::int64_t n = x.size(0) / streams_;
  at::Tensor out =
      at::empty({x.size(0), map.layout == Layout::out_in ? w.size(1) : w.size(2)}, x.options());
  for (int s = 0; s < streams_; ++s)
    out.narrow(0, s * n, n)
        .copy_(multiply(x.narrow(0, s * n, n), stream_of(w, s), map.layout,
                        bias.defined() ? stream_of(bias, s) : bias));
  return out;
}

at::Tensor StreamOps::layer_norm(const Norm& norm, const at::Tensor& x, double epsilon) {
  const auto [y, mean, rstd] = at::native_layer_norm(x, {x.size(1)}, {}, {}, epsilon);
  return by_stream(y).mul(vector_of(norm.gain)).add_(vector_of(norm.bias)).view(x.sizes());
}

at::Tensor StreamOps::rms_norm(const Norm& norm, const at::Tensor& x, double epsilon) {
  const at::Tensor scale = at::rsqrt(x.square().mean({1}, /*keepdim=*/true).add_(epsilon));
  return by_stream(x.mul(scale)).mul_(vector_of(norm.gain)).view(x.sizes());
}

at::Tensor StreamOps::attention(int, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                const AttentionOptions& options) {
  return (*attention_)(q, k, v, options);
}

}  // namespace mezo
