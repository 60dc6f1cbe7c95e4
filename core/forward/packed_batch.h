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
  // Appends tokens as a new piece and returns its index. Positions continue the parent's. A
  // parent must not be empty and must not have a parent itself; tokens must not be empty:
  // std::logic_error.
  int add(std::span<const std::int32_t> tokens, int parent = -1);

  std::int64_t rows() const { return static_cast<std::int64_t>(ids_.size()); }
  std::span<const std::int64_t> ids() const { return ids_; }
  std::span<const std::int64_t> positions() const { return positions_; }
  std::span<const Piece> pieces() const { return pieces_; }

 private:
  std::vector<std::int64_t> ids_;
  std::vector<std::int64_t> positions_;
  std::vector<Piece> pieces_;
};

}  // namespace mezo
