#include "core/answer/packed_questions.h"

#include <map>
#include <stdexcept>

namespace mezo {

namespace {

// An only option has nothing that it could be compared with.
bool one_row_decides(const Question& q) {
  const auto tokens = static_cast<std::int64_t>(q.scored.size());
  if (q.options() < 2 || tokens != q.options() || !q.subtracted.empty()) return false;
  for (const Question::Scored& s : q.scored)
    if (s.piece != q.scored[0].piece || s.index != q.scored[0].index) return false;
  return true;
}

class Builder {
 public:
  void add(const Question& q) {
    add_pieces(q);
    list(q.scored, packed_.scored, packed_.token_offsets);
    list(q.subtracted, subtracted_, packed_.subtracted_offsets);
    packed_.subtracted_offsets.resize(packed_.token_offsets.size(),
                                      packed_.subtracted_offsets.back());
    if (packed_.subtracted_offsets.size() != packed_.token_offsets.size())
      throw std::logic_error("[pack] more options are subtracted than there are");
    for (const std::int64_t right : q.right)
      if (right < 0 || right >= q.options())
        throw std::logic_error("[pack] a right option is not there");
    packed_.option_offsets.push_back(packed_.option_offsets.back() + q.options());
    packed_.score.push_back(q.score);
    packed_.normaliser_cancels = packed_.normaliser_cancels && one_row_decides(q);
  }

  PackedQuestions done() {
    packed_.scored.insert(packed_.scored.end(), subtracted_.begin(), subtracted_.end());
    return std::move(packed_);
  }

 private:
  void list(const std::vector<Question::Scored>& tokens, std::vector<PredictedToken>& out,
            std::vector<std::int64_t>& offsets) {
    std::int64_t option = -1;
    for (const Question::Scored& s : tokens) {
      if (s.option < 0 || (s.option != option && s.option != option + 1))
        throw std::logic_error("[pack] scored tokens are not listed option by option");
      if (s.option != option) offsets.push_back(offsets.back());
      option = s.option;
      ++offsets.back();
      out.push_back({want(row_of(s)), s.token});
    }
  }

  void add_pieces(const Question& q) {
    first_piece_ = packed_.batch.pieces().size();
    for (const Question::Piece& piece : q.pieces) {
      const bool follows = piece.follows >= 0;
      if (follows &&
          first_piece_ + static_cast<std::size_t>(piece.follows) >= packed_.batch.pieces().size())
        throw std::logic_error("[pack] a piece follows one that does not stand before it");
      packed_.continued = packed_.continued || follows;
      packed_.batch.add(piece.tokens,
                        follows ? static_cast<int>(first_piece_) + piece.follows : -1);
    }
  }

  std::int64_t row_of(const Question::Scored& s) const {
    const std::span<const Piece> pieces = packed_.batch.pieces().subspan(first_piece_);
    if (s.piece < 0 || static_cast<std::size_t>(s.piece) >= pieces.size())
      throw std::logic_error("[pack] a scored token is predicted in a piece that is not there");
    const Piece& piece = pieces[static_cast<std::size_t>(s.piece)];
    if (s.index < 0 || s.index >= piece.length)
      throw std::logic_error("[pack] a scored token is predicted at a row that is not there");
    return piece.first_row + s.index;
  }

  // The row's place among those that are wanted.
  std::int64_t want(std::int64_t row) {
    const auto [place, fresh] =
        wanted_.try_emplace(row, static_cast<std::int64_t>(packed_.wanted.size()));
    if (fresh) packed_.wanted.push_back(row);
    return place->second;
  }

  PackedQuestions packed_;
  std::vector<PredictedToken> subtracted_;
  std::size_t first_piece_ = 0;  // of the question, in the batch
  std::map<std::int64_t, std::int64_t> wanted_;
};

}  // namespace

PackedQuestions pack(std::span<const Question* const> questions) {
  Builder builder;
  for (const Question* question : questions) builder.add(*question);
  return builder.done();
}

}  // namespace mezo
