#include "core/forward/packed_batch.h"

#include <stdexcept>

namespace mezo {

int PackedBatch::add_piece(std::int64_t length, int parent, std::int64_t position) {
  if (length == 0) throw std::logic_error("[PackedBatch] empty piece");
  if (parent >= 0) {
    const Piece& context = pieces_.at(static_cast<std::size_t>(parent));
    if (context.parent >= 0) throw std::logic_error("[PackedBatch] a parent has a parent");
    position = positions_[static_cast<std::size_t>(context.first_row)] + context.length;
  }
  pieces_.push_back({rows(), length, parent});
  for (std::int64_t i = 0; i < length; ++i) positions_.push_back(position + i);
  return static_cast<int>(pieces_.size()) - 1;
}

int PackedBatch::add(std::span<const std::int32_t> tokens, int parent, std::int64_t position) {
  const int piece = add_piece(static_cast<std::int64_t>(tokens.size()), parent, position);
  for (auto& ids : ids_) ids.insert(ids.end(), tokens.begin(), tokens.end());
  return piece;
}

int PackedBatch::add_each(std::span<const std::vector<std::int32_t>> tokens, int parent,
                          std::int64_t position) {
  if (tokens.empty() || (ids_differ() > 0 && ids_.size() != tokens.size()))
    throw std::logic_error("[PackedBatch] tokens for another number of streams");
  for (const auto& own : tokens)
    if (own.size() != tokens[0].size())
      throw std::logic_error("[PackedBatch] a piece of another length in each stream");
  const int piece = add_piece(static_cast<std::int64_t>(tokens[0].size()), parent, position);
  ids_.resize(tokens.size(), ids_[0]);
  for (std::size_t s = 0; s < ids_.size(); ++s)
    ids_[s].insert(ids_[s].end(), tokens[s].begin(), tokens[s].end());
  return piece;
}

std::span<const std::int64_t> PackedBatch::ids(int stream) const {
  return ids_.size() == 1 ? ids_[0] : ids_.at(static_cast<std::size_t>(stream));
}

}  // namespace mezo
