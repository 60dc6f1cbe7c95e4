#include "core/forward/blocked_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace mezo {

namespace {

constexpr std::int64_t most_queries = 256;  // of a block

// Keys of the padded ones that a query of [begin, end) may see.
std::pair<std::int64_t, std::int64_t> visible(const PaddedPlaces& places, const AttentionOptions& o,
                                              std::int64_t begin, std::int64_t end) {
  if (!places.aligned) return {0, places.keys};
  const std::int64_t first = o.window > 0 ? std::max<std::int64_t>(0, begin - o.window + 1) : 0;
  if (o.causal) return {first, end};
  return {first, o.window > 0 ? std::min(places.keys, end + o.window - 1) : places.keys};
}

}  // namespace

std::optional<at::Tensor> BlockedAttention::mask(const PaddedPlaces& places, const Shape& s) {
  if (!s.causal && s.window == 0 && places.equal) return std::nullopt;
  // Places that differ by padding alone are one, where causality hides the padding.
  const bool same = places.aligned && (s.causal || places.equal);
  const bool interior = same && s.window > 0 && s.first_key > 0;
  Shape key = s;
  if (interior) {
    key.first_query -= s.first_key;
    key.first_key = 1;
  }
  for (const auto& [shape, mask] : kept_)
    if (shape == key) return mask;
  const auto options = places.query.options();
  const at::Tensor query =
      same ? at::arange(s.first_query, s.first_query + s.queries, options).view({1, -1, 1})
           : places.query.narrow(1, s.first_query, s.queries);
  const at::Tensor own =
      same ? at::arange(s.first_key, s.first_key + s.keys, options).view({1, 1, -1})
           : places.key.narrow(2, s.first_key, s.keys);
  at::Tensor seen = s.causal ? own <= query : own < std::numeric_limits<std::int64_t>::max();
  if (s.window > 0) seen = seen & ((query - own).abs() < s.window);
  if (s.prefix > 0) {
    const at::Tensor before = at::arange(-s.prefix, 0, options).view({1, 1, -1});
    const at::Tensor of_prefix = s.placed && s.window > 0
                                     ? query - before < s.window
                                     : at::ones({1, 1, s.prefix}, options.dtype(at::kBool));
    seen = at::cat({of_prefix.expand({seen.size(0), seen.size(1), s.prefix}), seen}, 2);
  }
  const at::Tensor made = mask_of(seen, s.type);
  // Others would add up to what one mask of all queries and keys takes.
  if (interior || s.queries == places.queries) kept_.emplace_back(key, made);
  return made;
}

at::Tensor BlockedAttention::operator()(const AttentionKernels& kernels, const PaddedPlaces& places,
                                        const at::Tensor& q, const at::Tensor& k,
                                        const at::Tensor& v, const AttentionOptions& o,
                                        const std::optional<KeysValues>& prefix, bool placed,
                                        bool sizes_change) {
  // All queries have one mask then, and scores that are not written out cost no memory.
  const bool whole = !o.causal && o.window == 0 && o.score_cap == 0;
  const std::int64_t step = whole ? places.queries : most_queries;
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < places.queries; begin += step) {
    const std::int64_t end = std::min(begin + step, places.queries);
    const auto [first, past] = visible(places, o, begin, end);
    const auto seen = [&, first = first, past = past](const at::Tensor& own,
                                                      const at::Tensor& before) {
      const at::Tensor part = own.narrow(1, first, past - first);
      return (before.defined() ? at::cat({before, part}, 1) : part).transpose(1, 2);
    };
    std::optional<at::Tensor> hidden =
        mask(places, {o.causal, placed, o.window, prefix ? prefix->keys.size(1) : 0, begin,
                      end - begin, first, past - first, q.scalar_type()});
    const PaddedSequences block{q.narrow(1, begin, end - begin).transpose(1, 2),
                                seen(k, prefix ? prefix->keys : at::Tensor()),
                                seen(v, prefix ? prefix->values : at::Tensor()),
                                o.scale,
                                false,
                                sizes_change,
                                o.score_cap};
    if (hidden) hidden = hidden->expand({hidden->size(0), 1, end - begin, block.k.size(2)});
    parts.push_back(kernels.attend(block, hidden));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts, 2);
}

}  // namespace mezo
