// By hand, by the rules of SQuAD's evaluation.
#include <doctest/doctest.h>

#include "core/task/text_match.h"

using namespace mezo;

TEST_CASE("case, punctuation, articles and spaces do not count") {
  CHECK(same_words("The  Quick, brown fox!", "a quick brown Fox") == 1);
  CHECK(same_words("state-of-the-art", "stateoftheart") == 1);  // what stood between goes first
  CHECK(same_words("\u00c9tude", "\u00e9tude") == 1);
  CHECK(same_words("fox", "foxes") == 0);
  CHECK(same_words("\u201cthe fox\u201d", "\u201c fox\u201d") == 1);  // an article ends at a mark
  CHECK(same_words("then", "n") == 0);
}

TEST_CASE("F1 counts each word as often as both have it") {
  CHECK(shared_words("in 1066", "1066") == doctest::Approx(2 * 0.5 * 1 / 1.5));
  CHECK(shared_words("b b c", "b c c d") == doctest::Approx(2 * (2.0 / 3) * 0.5 / (2.0 / 3 + 0.5)));
  CHECK(shared_words("x", "y") == 0);
  CHECK(shared_words("", "y") == 0);
  CHECK(shared_words("the", "the") == 0);  // nothing is left, so nothing is shared
  CHECK(shared_words("same words", "words same") == 1);
}
