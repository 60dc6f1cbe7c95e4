#include "core/forward/packed_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/forward/index_tensor.h"

namespace mezo {

namespace {

// The padded [pieces, length, heads, width] form of rows [R, heads, width]; the rows themselves
// where they are in order.
at::Tensor gather(const at::Tensor& rows, const at::Tensor& index, bool in_order, std::int64_t n,
                  std::int64_t length) {
  return (in_order ? rows : rows.index_select(0, index))
      .reshape({n, length, rows.size(1), rows.size(2)});
}

// Rows a piece's queries can see, in order: its parent's, then its own.
std::vector<std::int64_t> visible_rows(const PackedBatch& batch, const Piece& s) {
  std::vector<std::int64_t> rows;
  const auto append = [&](const Piece& part) {
    for (std::int64_t i = 0; i < part.length; ++i) rows.push_back(part.first_row + i);
  };
  if (s.parent >= 0) append(batch.pieces()[static_cast<std::size_t>(s.parent)]);
  append(s);
  return rows;
}

}  // namespace

Attention::~Attention() = default;

PackedAttention::PackedAttention(const PackedBatch& batch, int streams, at::Device device,
                                 const AttentionKernels* kernels, bool placed)
    : batch_(batch),
      streams_(streams),
      device_(device),
      kernels_(kernels ? *kernels : attention_kernels(device.is_cuda())),
      placed_(placed) {
  std::vector<int> roots, continued;
  for (std::size_t i = 0; i < batch.pieces().size(); ++i)
    (batch.pieces()[i].parent < 0 ? roots : continued).push_back(static_cast<int>(i));
  std::vector<std::int64_t> back(static_cast<std::size_t>(streams * batch.rows()));
  std::int64_t base = 0;
  for (const auto& members : {roots, continued}) {
    if (members.empty()) continue;
    groups_.push_back(make_group(batch, members, streams));
    const Group& g = groups_.back();
    for (int s = 0; s < streams; ++s)
      for (std::size_t m = 0; m < members.size(); ++m) {
        const Piece& piece = batch.pieces()[static_cast<std::size_t>(members[m])];
        const std::int64_t place =
            base + (s * static_cast<std::int64_t>(members.size()) + static_cast<std::int64_t>(m)) *
                       g.queries;
        for (std::int64_t i = 0; i < piece.length; ++i)
          back[static_cast<std::size_t>(s * batch.rows() + piece.first_row + i)] = place + i;
      }
    base += g.n * g.queries;
  }
  back_ = index_tensor(back, device_);
}

PackedAttention::Group PackedAttention::make_group(const PackedBatch& batch,
                                                   const std::vector<int>& members,
                                                   int streams) const {
  Group g;
  g.n = static_cast<std::int64_t>(members.size()) * streams;
  std::vector<std::vector<std::int64_t>> keys;
  for (const int m : members) {
    const Piece& s = batch.pieces()[static_cast<std::size_t>(m)];
    g.continues = s.parent >= 0;
    keys.push_back(visible_rows(batch, s));
    g.queries = std::max(g.queries, s.length);
    g.keys = std::max(g.keys, static_cast<std::int64_t>(keys.back().size()));
  }
  for (const auto& own : keys) g.equal &= static_cast<std::int64_t>(own.size()) == g.keys;
  std::vector<std::int64_t> query_rows, key_rows, query_position, key_position;
  for (int stream = 0; stream < streams; ++stream)
    for (std::size_t m = 0; m < members.size(); ++m) {
      const Piece& s = batch.pieces()[static_cast<std::size_t>(members[m])];
      const std::int64_t offset = stream * batch.rows();
      for (std::int64_t i = 0; i < g.queries; ++i) {
        const std::int64_t row =
            s.first_row +
            std::min(i, s.length - 1);  // padding repeats the last row; its result is dropped
        query_rows.push_back(offset + row);
        query_position.push_back(batch.positions()[static_cast<std::size_t>(row)]);
      }
      const auto count = static_cast<std::int64_t>(keys[m].size());
      for (std::int64_t i = 0; i < g.keys; ++i) {
        const std::int64_t row = keys[m][static_cast<std::size_t>(std::min(i, count - 1))];
        key_rows.push_back(offset + row);
        key_position.push_back(i < count ? batch.positions()[static_cast<std::size_t>(row)]
                                         : std::numeric_limits<std::int64_t>::max());
      }
    }
  const auto in_order = [](const std::vector<std::int64_t>& rows, std::int64_t all) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i] != static_cast<std::int64_t>(i)) return false;
    return static_cast<std::int64_t>(rows.size()) == all;
  };
  g.in_order =
      in_order(query_rows, streams * batch.rows()) && in_order(key_rows, streams * batch.rows());
  g.query_rows = index_tensor(query_rows, device_);
  g.key_rows = index_tensor(key_rows, device_);
  g.places = {g.n,
              g.queries,
              g.keys,
              !g.continues,
              g.equal,
              index_tensor(query_position, device_).view({g.n, g.queries, 1}),
              index_tensor(key_position, device_).view({g.n, 1, g.keys})};
  return g;
}

void PackedAttention::make_packed() {
  Packed p;
  std::vector<std::int64_t> query_ends = {0}, key_ends = {0}, key_rows;
  bool continues = false;
  for (int stream = 0; stream < streams_; ++stream)
    for (const Piece& piece : batch_.pieces()) {
      const std::vector<std::int64_t> seen = visible_rows(batch_, piece);
      for (const std::int64_t row : seen) key_rows.push_back(stream * batch_.rows() + row);
      query_ends.push_back(query_ends.back() + piece.length);
      key_ends.push_back(static_cast<std::int64_t>(key_rows.size()));
      p.longest_queries = std::max(p.longest_queries, piece.length);
      p.longest_keys = std::max(p.longest_keys, static_cast<std::int64_t>(seen.size()));
      continues |= piece.parent >= 0;
    }
  if (continues) p.key_rows = index_tensor(key_rows, device_);
  p.query_ends = index_tensor(query_ends, device_).to(at::kInt);
  p.key_ends = index_tensor(key_ends, device_).to(at::kInt);
  packed_ = std::move(p);
}

at::Tensor PackedAttention::attend_packed(const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const AttentionOptions& o) {
  if (!packed_) make_packed();
  const Packed& p = *packed_;
  const auto seen = [&](const at::Tensor& rows) {
    return p.key_rows ? rows.index_select(0, *p.key_rows) : rows;
  };
  return kernels_.attend_packed({q, seen(k), seen(v), p.query_ends, p.key_ends, p.longest_queries,
                                 p.longest_keys, o.scale, o.causal, o.window});
}

at::Tensor PackedAttention::operator()(int layer, const at::Tensor& q, const at::Tensor& k,
                                       const at::Tensor& v, const AttentionOptions& o,
                                       const std::optional<KeysValues>& prefix) {
  for (const Group& g : groups_)
    if (g.continues && !o.causal)
      throw ModelError(
          "[attention] layer " + std::to_string(layer) +
          " is not causal: its sequences cannot share a context that is computed once");
  const bool windowed = o.window > 0 && o.window < groups_.front().keys;
  if (!prefix && o.score_cap == 0 && (windowed || !groups_.front().in_order) &&
      kernels_.packs(q, v))
    return attend_packed(q, k, v, o);
  std::vector<at::Tensor> outputs;
  for (Group& g : groups_) {
    const at::Tensor queries = gather(q, g.query_rows, g.in_order, g.n, g.queries),
                     keys = gather(k, g.key_rows, g.in_order, g.n, g.keys),
                     values = gather(v, g.key_rows, g.in_order, g.n, g.keys);
    outputs.push_back(attend(g, queries, keys, values, o, prefix)
                          .transpose(1, 2)
                          .reshape({g.n * g.queries, q.size(1), q.size(2)})
                          .contiguous());
    if (g.in_order) return outputs.back();
  }
  return (outputs.size() == 1 ? outputs[0] : at::cat(outputs)).index_select(0, back_);
}

at::Tensor PackedAttention::attend(Group& g, const at::Tensor& q, const at::Tensor& k,
                                   const at::Tensor& v, const AttentionOptions& o,
                                   const std::optional<KeysValues>& prefix) const {
  const std::int64_t before = placed_ && prefix ? prefix->keys.size(1) : 0;
  AttentionOptions options = o;
  if (o.window >= g.keys + before) options.window = 0;  // it hides nothing
  // Padding lies behind what is there, out of a causal layer's sight.
  const bool unmasked =
      options.window == 0 && o.score_cap == 0 && (o.causal ? !g.continues : g.equal);
  if (unmasked) {
    const PaddedSequences sequences{
        q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), o.scale, o.causal, !g.in_order, 0};
    if (!prefix) return kernels_.attend(sequences, {});
    if (const auto out = kernels_.attend_behind(*prefix, sequences)) return *out;
  }
  std::optional<KeysValues> own;
  if (prefix) own = {repeat_streams(prefix->keys, g.n), repeat_streams(prefix->values, g.n)};
  return g.blocks(kernels_, g.places, q, k, v, options, own, placed_, !g.in_order);
}

}  // namespace mezo
