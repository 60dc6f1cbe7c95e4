#pragma once
// The token rows of one forward and which of them see which: sequences end to end, without padding.
// A piece may continue another one (its parent): the context that an example's options share is
// computed once, and each option attends to it. The host builds it; models see only the ids and
// positions (core/model/ops.h).

#include <cstdint>
#include <span>
#include <vector>

#include "core/api.h"

namespace mezo {

struct Piece {
  std::int64_t first_row = 0;
  std::int64_t length = 0;
  int parent = -1;  // index of the piece whose rows come before this one's in its sequence, or -1
};

class MEZO_API PackedBatch {
 public:
  // Appends tokens as a new piece and returns its index. Positions continue the parent's, or begin
  // at `position`: how many tokens precede it in a cache of keys and values. A parent must not be
  // empty and must not have a parent itself; tokens must not be empty: std::logic_error.
  int add(std::span<const std::int32_t> tokens, int parent = -1, std::int64_t position = 0);

  // A piece whose tokens are each stream's own, as where each generates: a list for each stream,
  // all equally long. Only that many streams can run the batch: std::logic_error otherwise.
  int add_each(std::span<const std::vector<std::int32_t>> tokens, int parent = -1,
               std::int64_t position = 0);

  std::int64_t rows() const { return static_cast<std::int64_t>(positions_.size()); }
  // Of a stream; which one matters only where they differ.
  std::span<const std::int64_t> ids(int stream = 0) const;
  // How many streams have ids of their own; 0: all have the same.
  int ids_differ() const { return ids_.size() > 1 ? static_cast<int>(ids_.size()) : 0; }
  std::span<const std::int64_t> positions() const { return positions_; }
  std::span<const Piece> pieces() const { return pieces_; }

 private:
  int add_piece(std::int64_t length, int parent, std::int64_t position);

  std::vector<std::vector<std::int64_t>> ids_ = std::vector<std::vector<std::int64_t>>(1);
  std::vector<std::int64_t> positions_;
  std::vector<Piece> pieces_;
};

}  // namespace mezo
