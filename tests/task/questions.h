#pragma once
// Questions written down as literals.

#include <cstdint>
#include <vector>

#include "core/task/question.h"

namespace mezo {

using Ids = std::vector<std::int32_t>;

inline Question options_of(Ids context, const std::vector<Ids>& tails, const Ids& scored,
                           std::vector<std::int64_t> right = {0}) {
  Question q = options_behind(std::move(context), tails, scored);
  q.right = std::move(right);
  return q;
}

inline std::vector<const Question*> pointers(const std::vector<Question>& questions) {
  std::vector<const Question*> list;
  for (const Question& q : questions) list.push_back(&q);
  return list;
}

// What stands before the option's token number `t`, as one sequence.
inline Ids before(const Question& q, const Question::Scored& s) {
  const Question::Piece& piece = q.pieces[static_cast<std::size_t>(s.piece)];
  Ids ids;
  if (piece.follows >= 0) ids = q.pieces[static_cast<std::size_t>(piece.follows)].tokens;
  ids.insert(ids.end(), piece.tokens.begin(), piece.tokens.begin() + s.index + 1);
  return ids;
}

}  // namespace mezo
