#include <doctest/doctest.h>

#include "core/text/unicode.h"
#include "core/text/utf8.h"

TEST_CASE("each maximal subpart that is not UTF-8 is one replacement character") {
  const std::string r = "\xEF\xBF\xBD";
  CHECK(mezo::replace_invalid_utf8("plain") == "plain");
  CHECK(mezo::replace_invalid_utf8("a\x80\x81") == "a" + r + r);
  CHECK(mezo::replace_invalid_utf8("\xE2\x82") == r);
  CHECK(mezo::replace_invalid_utf8("\xE2\x82x") == r + "x");
  CHECK(mezo::replace_invalid_utf8("\xED\xA0\x80") == r + r + r);
  CHECK(mezo::replace_invalid_utf8("\xF0\x9F\x98\xE2") == r + r);
  CHECK(mezo::replace_invalid_utf8("\xF4\x90\x80\x80") == r + r + r + r);
  CHECK(mezo::replace_invalid_utf8("\xF4\x8F\xBF\xBF") == "\xF4\x8F\xBF\xBF");
}

TEST_CASE("classes are Unicode's, of the version that the tokenizers package has") {
  CHECK(mezo::is_letter(U'ж'));
  CHECK(mezo::is_letter(0x31350));  // CJK extension H, Unicode 15
  CHECK_FALSE(mezo::is_letter(0x0301));
  CHECK(mezo::is_number(0x00BD));
  CHECK(mezo::is_number(0x2163));
  CHECK_FALSE(
      mezo::is_number(0x16FF4));  // Unicode 17: a digit to Digits, not yet to the expression
  CHECK(mezo::is_digit_piece(0x16FF4));
  CHECK(mezo::is_space(0x85));
  CHECK(mezo::is_space(0x3000));
  CHECK_FALSE(mezo::is_space(0x180E));
  CHECK_FALSE(mezo::is_space(0x1C));
}

TEST_CASE("case changes one code point into one") {
  CHECK(mezo::to_lower(U'Ā') == U'ā');
  CHECK(mezo::to_lower(U'ā') == U'ā');
  CHECK(mezo::to_upper(U'ÿ') == U'Ÿ');
  CHECK(mezo::to_upper(U'ß') == U'ß');
}
