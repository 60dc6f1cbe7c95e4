#include <doctest/doctest.h>

#include <stdexcept>

#include "tests/task/questions.h"

using namespace mezo;

namespace {

// Piece, index, token, option of every scored token.
std::vector<std::vector<std::int64_t>> list_of(const Question& q) {
  std::vector<std::vector<std::int64_t>> list;
  for (const Question::Scored& s : q.scored) list.push_back({s.piece, s.index, s.token, s.option});
  return list;
}

using Rows = std::vector<std::vector<std::int64_t>>;

}  // namespace

TEST_CASE("options share the piece of their context, and longer ones have a piece of their own") {
  const Question q = options_of({1, 2, 3}, {{4}, {5, 6, 7}, {5, 8}}, {1, 3, 1});
  REQUIRE(q.pieces.size() == 3);
  CHECK(q.pieces[0].tokens == Ids{1, 2, 3});
  CHECK(q.pieces[1].tokens == Ids{5, 6});
  CHECK(q.pieces[2].tokens == Ids{5});
  CHECK(q.pieces[0].follows == -1);
  CHECK(q.pieces[1].follows == 0);
  CHECK(q.pieces[2].follows == 0);
  CHECK(list_of(q) == Rows{{0, 2, 4, 0}, {0, 2, 5, 1}, {1, 0, 6, 1}, {1, 1, 7, 1}, {2, 0, 8, 2}});
  CHECK(q.options() == 3);
  CHECK(q.rows() == 6);
}

TEST_CASE("an only option continues its context in one piece") {
  const Question q = options_of({1, 2}, {{3, 4, 5}}, {2});
  REQUIRE(q.pieces.size() == 1);
  CHECK(q.pieces[0].tokens == Ids{1, 2, 3, 4});
  CHECK(list_of(q) == Rows{{0, 2, 4, 0}, {0, 3, 5, 0}});
}

TEST_CASE("every token of an answer is predicted from those before it") {
  const Question q = answer_behind({9, 8}, {7, 6, 5});
  REQUIRE(q.pieces.size() == 1);
  CHECK(q.pieces[0].tokens == Ids{9, 8, 7, 6});
  CHECK(list_of(q) == Rows{{0, 1, 7, 0}, {0, 2, 6, 0}, {0, 3, 5, 0}});
  CHECK(q.right == std::vector<std::int64_t>{0});
}

TEST_CASE("options that cannot be scored are refused") {
  CHECK_THROWS_AS(options_of({}, {{1}, {2}}, {1, 1}), std::logic_error);
  CHECK_THROWS_AS(options_of({1}, {}, {}), std::logic_error);
  CHECK_THROWS_AS(options_of({1}, {{1}, {2}}, {1}), std::logic_error);
  CHECK_THROWS_AS(options_of({1}, {{1}, {2}}, {1, 2}), std::logic_error);
  CHECK_THROWS_AS(options_of({1}, {{1}, {}}, {1, 0}), std::logic_error);
}
