#include "core/answer/token_scores.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>

#include "core/forward/index_tensor.h"
#include "core/forward/logits.h"

namespace mezo {

namespace {

// Logits held at once. On a GPU each tile reads the whole head anew, so tiles are large: 512 MiB.
constexpr std::int64_t tile_elements = 1 << 24, gpu_tile_elements = 1 << 27;

// The wanted rows [begin, end) of every stream, stream-major.
at::Tensor pick_rows(const at::Tensor& hidden, const PackedQuestions& packed, const StreamOps& ops,
                     std::int64_t begin, std::int64_t end) {
  const bool alone = ops.left_rows_out();
  const auto wanted = static_cast<std::int64_t>(packed.wanted.size());
  std::vector<std::int64_t> rows;
  for (int s = 0; s < ops.streams(); ++s)
    for (std::int64_t i = begin; i < end; ++i)
      rows.push_back(alone ? s * wanted + i
                           : s * packed.batch.rows() + packed.wanted[static_cast<std::size_t>(i)]);
  return hidden.index_select(0, index_tensor(rows, hidden.device()));
}

// The entry `column[i]` of row `row[i]` of a table [S, rows, columns]: [S, row.size()].
at::Tensor pick(const at::Tensor& table, std::span<const std::int64_t> row,
                std::span<const std::int64_t> column) {
  std::vector<std::int64_t> flat;
  for (std::size_t i = 0; i < row.size(); ++i) flat.push_back(row[i] * table.size(2) + column[i]);
  return table.reshape({table.size(0), -1}).index_select(1, index_tensor(flat, table.device()));
}

}  // namespace

at::Tensor logits_of_scored(const Network& network, StreamOps& ops, const at::Tensor& hidden,
                            const PackedQuestions& packed) {
  std::vector<std::int64_t> entries;
  for (const PredictedToken& s : packed.scored) entries.push_back(s.token);
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  std::vector<std::int64_t> row, column;
  for (const PredictedToken& s : packed.scored) {
    row.push_back(s.wanted);
    column.push_back(std::lower_bound(entries.begin(), entries.end(), s.token) - entries.begin());
  }
  ops.select_vocabulary(index_tensor(entries, hidden.device()));
  const auto wanted = static_cast<std::int64_t>(packed.wanted.size());
  const at::Tensor logits = logits_of(network, ops, pick_rows(hidden, packed, ops, 0, wanted),
                                      static_cast<std::int64_t>(entries.size()));
  return pick(logits.view({ops.streams(), wanted, logits.size(1)}), row, column);
}

at::Tensor log_likelihoods(const Network& network, StreamOps& ops, const at::Tensor& hidden,
                           const PackedQuestions& packed) {
  const auto wanted = static_cast<std::int64_t>(packed.wanted.size());
  const std::int64_t entries = network.entries;
  const std::int64_t elements = hidden.is_cuda() ? gpu_tile_elements : tile_elements;
  const std::int64_t tile = std::max<std::int64_t>(1, elements / (entries * ops.streams()));
  at::Tensor out = at::empty({ops.streams(), static_cast<std::int64_t>(packed.scored.size())},
                             hidden.options().dtype(at::kFloat));
  for (std::int64_t begin = 0; begin < wanted; begin += tile) {
    const std::int64_t end = std::min(wanted, begin + tile);
    const at::Tensor logits =
        logits_of(network, ops, pick_rows(hidden, packed, ops, begin, end), entries);
    const at::Tensor log_share =
        at::log_softmax(logits, -1).view({ops.streams(), end - begin, logits.size(1)});
    std::vector<std::int64_t> place, row, token;
    for (std::size_t i = 0; i < packed.scored.size(); ++i) {
      const PredictedToken& s = packed.scored[i];
      if (s.wanted < begin || s.wanted >= end) continue;
      place.push_back(static_cast<std::int64_t>(i));
      row.push_back(s.wanted - begin);
      token.push_back(s.token);
    }
    out.index_copy_(1, index_tensor(place, out.device()), pick(log_share, row, token));
  }
  return out;
}

}  // namespace mezo
