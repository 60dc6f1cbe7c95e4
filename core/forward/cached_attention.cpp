#include "core/forward/cached_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>

#include "core/error.h"
#include "core/forward/index_tensor.h"

namespace mezo {

CachedAttention::CachedAttention(int streams, std::int64_t capacity, at::Device device,
                                 const AttentionKernels* kernels, bool placed)
    : streams_(streams),
      capacity_(capacity),
      device_(device),
      kernels_(kernels ? *kernels : attention_kernels(device.is_cuda())),
      placed_(placed) {}

void CachedAttention::expect(const PackedBatch& batch) {
  const auto pieces = static_cast<std::int64_t>(batch.pieces().size());
  if (begun_ && pieces != static_cast<std::int64_t>(lengths_.size()))
    throw std::logic_error("[CachedAttention] a forward of other sequences");
  for (std::size_t i = 0; i < arriving_.size(); ++i) lengths_[i] += arriving_[i];
  if (!begun_) lengths_.assign(batch.pieces().size(), 0);
  arriving_.clear();
  for (std::size_t i = 0; i < batch.pieces().size(); ++i) {
    const Piece& piece = batch.pieces()[i];
    if (piece.parent >= 0 || (begun_ && piece.length != 1) ||
        batch.positions()[static_cast<std::size_t>(piece.first_row)] != lengths_[i])
      throw std::logic_error("[CachedAttention] tokens that do not continue their sequence");
    arriving_.push_back(piece.length);
  }
  places_.clear();
  if (begun_)
    first_.reset();
  else
    first_.emplace(batch, streams_, device_, &kernels_, placed_);
  begun_ = true;
}

void CachedAttention::keep(std::span<const std::int64_t> sequences) {
  const auto all = static_cast<std::int64_t>(lengths_.size());
  std::vector<std::int64_t> rows;
  for (int s = 0; s < streams_; ++s)
    for (const std::int64_t i : sequences) rows.push_back(s * all + i);
  const at::Tensor index = index_tensor(rows, device_);
  for (Layer& layer : layers_) {
    if (!layer.keys.defined()) continue;
    layer.keys = layer.keys.index_select(0, index);
    layer.values = layer.values.index_select(0, index);
  }
  std::vector<std::int64_t> lengths, arriving;
  for (const std::int64_t i : sequences) {
    lengths.push_back(lengths_.at(static_cast<std::size_t>(i)));
    arriving.push_back(arriving_.at(static_cast<std::size_t>(i)));
  }
  lengths_ = std::move(lengths);
  arriving_ = std::move(arriving);
  places_.clear();
}

std::int64_t CachedAttention::longest() const {
  std::int64_t most = 0;
  for (std::size_t i = 0; i < lengths_.size(); ++i)
    most = std::max(most, lengths_[i] + arriving_[i]);
  return most;
}

// For this forward's tokens behind what is there.
void CachedAttention::make_room(Layer& layer, const at::Tensor& k, const at::Tensor& v) {
  const std::int64_t needed = layer.prefix + longest(),
                     have = layer.keys.defined() ? layer.keys.size(1) : 0;
  if (needed <= have) return;
  const std::int64_t room =
      have == 0 ? std::max(needed, layer.prefix + capacity_) : needed + needed / 4;
  const auto grown = [&](const at::Tensor& old, const at::Tensor& rows) {
    at::Tensor fresh = at::zeros(
        {streams_ * static_cast<std::int64_t>(lengths_.size()), room, rows.size(1), rows.size(2)},
        rows.options());
    if (have > 0) fresh.narrow(1, 0, have).copy_(old);
    return fresh;
  };
  layer.keys = grown(layer.keys, k);
  layer.values = grown(layer.values, v);
}

void CachedAttention::write_prefix(Layer& layer, const KeysValues& prefix) {
  const auto of_stream = static_cast<std::int64_t>(lengths_.size());
  const auto write = [&](at::Tensor& cache, const at::Tensor& values) {
    cache.view({streams_, of_stream, cache.size(1), cache.size(2), cache.size(3)})
        .narrow(2, 0, layer.prefix)
        .copy_(values.unsqueeze(1));
  };
  write(layer.keys, prefix.keys);
  write(layer.values, prefix.values);
}

at::Tensor CachedAttention::slots(const Layer& layer) const {
  const std::int64_t room = layer.keys.size(1);
  std::vector<std::int64_t> slots;
  const auto of_stream = static_cast<std::int64_t>(lengths_.size());
  for (int s = 0; s < streams_; ++s)
    for (std::int64_t i = 0; i < of_stream; ++i)
      for (std::int64_t t = 0; t < arriving_[static_cast<std::size_t>(i)]; ++t)
        slots.push_back((s * of_stream + i) * room + layer.prefix +
                        lengths_[static_cast<std::size_t>(i)] + t);
  return index_tensor(slots, device_);
}

at::Tensor CachedAttention::mask(std::int64_t prefix, std::int64_t window,
                                 at::ScalarType type) const {
  const std::int64_t keys = prefix + longest();
  std::vector<std::int64_t> places;
  for (const std::int64_t length : lengths_) places.push_back(prefix + length);
  const at::Tensor own = index_tensor(places, device_).unsqueeze(1),
                   key = at::arange(keys, own.options());
  at::Tensor seen = key <= own;
  if (window > 0) {
    at::Tensor near = own - key < window;
    if (!placed_) near = near | (key < prefix);
    seen = seen & near;
  }
  return mask_of(seen.repeat({streams_, 1}).unsqueeze(1), type);
}

const CachedAttention::Places& CachedAttention::places(const Layer& layer, std::int64_t window,
                                                       at::ScalarType type) {
  const std::int64_t in_effect = window < (placed_ ? layer.prefix : 0) + longest() ? window : 0;
  for (const Places& p : places_)
    if (p.prefix == layer.prefix && p.window == in_effect) return p;
  Places made{layer.prefix, in_effect, slots(layer), {}};
  const bool equal = std::ranges::adjacent_find(lengths_, std::not_equal_to<>()) == lengths_.end();
  if (!first_ && (!equal || in_effect > 0)) made.mask = mask(layer.prefix, in_effect, type);
  return places_.emplace_back(std::move(made));
}

// A head of keys and values serves several of queries: these stand as rows of one matrix, so that
// nothing is repeated.
at::Tensor CachedAttention::attend(const Layer& layer, const at::Tensor& q,
                                   const AttentionOptions& o) {
  const std::int64_t keys = layer.prefix + longest(), heads = layer.keys.size(2);
  const auto seen = [&](const at::Tensor& cache) {
    return cache.narrow(1, 0, keys).transpose(1, 2);
  };
  const at::Tensor queries = q.view({q.size(0), heads, q.size(1) / heads, q.size(2)});
  std::optional<at::Tensor> mask = places(layer, o.window, q.scalar_type()).mask;
  if (mask) mask = mask->expand({mask->size(0), 1, queries.size(2), keys});
  return kernels_
      .attend({queries, seen(layer.keys), seen(layer.values), o.scale, false, true, o.score_cap},
              mask)
      .reshape(q.sizes());
}

at::Tensor CachedAttention::operator()(int layer, const at::Tensor& q, const at::Tensor& k,
                                       const at::Tensor& v, const AttentionOptions& o,
                                       const std::optional<KeysValues>& prefix) {
  if (!o.causal)
    throw ModelError("[attention] layer " + std::to_string(layer) +
                     " is not causal: what it has seen cannot be kept for later tokens");
  const auto place = static_cast<std::size_t>(layer);
  if (layers_.size() <= place) layers_.resize(place + 1);
  Layer& own = layers_[place];
  if (first_) own.prefix = prefix ? prefix->keys.size(1) : 0;
  make_room(own, k, v);
  if (first_ && prefix) write_prefix(own, *prefix);
  const Places& at = places(own, o.window, q.scalar_type());
  const auto write = [&](at::Tensor& cache, const at::Tensor& rows) {
    cache.view({-1, cache.size(2), cache.size(3)}).index_copy_(0, at.slots, rows);
  };
  write(own.keys, k);
  write(own.values, v);
  return first_ ? (*first_)(layer, q, k, v, o, prefix) : attend(own, q, o);
}

std::int64_t CachedAttention::bytes() const {
  std::int64_t bytes = 0;
  for (const Layer& layer : layers_)
    if (layer.keys.defined())
      bytes += static_cast<std::int64_t>(layer.keys.nbytes() + layer.values.nbytes());
  return bytes;
}

}  // namespace mezo
