#include "core/task/question.h"

#include <stdexcept>

namespace mezo {

std::int64_t Question::options() const { return scored.empty() ? 0 : scored.back().option + 1; }

std::int64_t Question::rows() const {
  std::int64_t n = 0;
  for (const Piece& piece : pieces) n += static_cast<std::int64_t>(piece.tokens.size());
  return n;
}

Question options_behind(std::vector<std::int32_t> context,
                        std::span<const std::vector<std::int32_t>> tails,
                        std::span<const std::int32_t> scored) {
  if (context.empty() || tails.empty() || tails.size() != scored.size())
    throw std::logic_error("[options_behind] expected a context and a length for each option");
  const auto last_of_context = static_cast<std::int64_t>(context.size()) - 1;
  const bool shared = tails.size() > 1;
  Question q;
  q.pieces.push_back({std::move(context), -1});
  for (std::size_t option = 0; option < tails.size(); ++option) {
    const std::vector<std::int32_t>& tail = tails[option];
    const auto count = static_cast<std::int64_t>(tail.size());
    if (scored[option] < 1 || scored[option] > count)
      throw std::logic_error("[options_behind] expected from 1 to all of an option's tokens");
    if (shared && count > 1) q.pieces.push_back({{tail.begin(), tail.end() - 1}, 0});
    if (!shared) q.pieces[0].tokens.insert(q.pieces[0].tokens.end(), tail.begin(), tail.end() - 1);
    const int own = static_cast<int>(q.pieces.size()) - 1;
    const std::int64_t first = shared ? 0 : last_of_context + 1;  // row of the tail's first token
    for (std::int64_t t = count - scored[option]; t < count; ++t)
      q.scored.push_back({t == 0 ? 0 : own, t == 0 ? last_of_context : first + t - 1,
                          tail[static_cast<std::size_t>(t)], static_cast<std::int64_t>(option)});
  }
  return q;
}

void subtract(Question& question, Question neutral) {
  if (neutral.options() != question.options())
    throw std::logic_error("[subtract] expected the same options");
  const auto before = static_cast<int>(question.pieces.size());
  for (Question::Piece& piece : neutral.pieces) {
    if (piece.follows >= 0) piece.follows += before;
    question.pieces.push_back(std::move(piece));
  }
  for (Question::Scored& s : neutral.scored) {
    s.piece += before;
    question.subtracted.push_back(s);
  }
}

Question answer_behind(std::vector<std::int32_t> context, const std::vector<std::int32_t>& answer) {
  const auto length = static_cast<std::int32_t>(answer.size());
  Question q = options_behind(std::move(context), {&answer, 1}, {&length, 1});
  q.right = {0};
  return q;
}

}  // namespace mezo
