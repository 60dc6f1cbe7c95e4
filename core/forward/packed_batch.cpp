#include "core/forward/packed_batch.h"

#include <stdexcept>

namespace mezo {

int PackedBatch::add(std::span<const std::int32_t> tokens, int parent) {
  if (tokens.empty()) throw std::logic_error("[PackedBatch] empty piece");
  std::int64_t position = 0;
  if (parent >= 0) {
    const Piece& context = pieces_.at(static_cast<std::size_t>(parent));
    if (context.parent >= 0) throw std::logic_error("[PackedBatch] a parent has a parent");
    position = context.length;
  }
  pieces_.push_back({rows(), static_cast<std::int64_t>(tokens.size()), parent});
  for (const std::int32_t token : tokens) {
    ids_.push_back(token);
    positions_.push_back(position++);
  }
  return static_cast<int>(pieces_.size()) - 1;
}

}  // namespace mezo
