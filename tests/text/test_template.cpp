#include <doctest/doctest.h>

#include "core/text/modifiers.h"
#include "core/text/template.h"

namespace {

using mezo::PromptTemplate;
using Fields = PromptTemplate::Fields;

std::string render(std::string_view source, const Fields& fields) {
  return PromptTemplate(source).render(fields);
}

std::string with(std::string_view modifier, const std::string& text) {
  return render("{s|" + std::string(modifier) + "}", {{"s", text}});
}

std::size_t column_of_error(std::string_view source) {
  try {
    PromptTemplate parsed(source);
  } catch (const mezo::TemplateError& error) {
    return error.column();
  }
  return 0;
}

}  // namespace

TEST_CASE("fields are filled in and braces written twice are braces") {
  CHECK(render("{a} and {b}{{x}}{{{a}}}", {{"a", "one"}, {"b", "{two}"}}) ==
        "one and {two}{x}{one}");
  CHECK(render("", {}).empty());
}

TEST_CASE("a template lists its fields once, in order") {
  CHECK(PromptTemplate("{b|lower} {a} {b}").fields() == std::vector<std::string>{"b", "a"});
}

TEST_CASE("a masked template is a list of literals, fields and masks, outer spaces kept") {
  const PromptTemplate prompt("{s1|drop_last}?<mask>, {s2}");
  CHECK(prompt.masks() == 1);
  const auto pieces = prompt.render_pieces({{"s1", " A man. "}, {"s2", "<mask> b"}});
  REQUIRE(pieces.size() == 5);
  CHECK(pieces[0].text == " A man.");
  CHECK(pieces[1].text == "?");
  CHECK(pieces[2].kind == PromptTemplate::Kind::mask);
  CHECK(pieces[3].text == ", ");
  CHECK(pieces[4].kind == PromptTemplate::Kind::field);  // a mask written in the data is only text
}

TEST_CASE("modifiers apply from left to right") {
  CHECK(render("{q|strip|capitalize|question_mark}", {{"q", " is it so "}}) == "Is it so?");
}

TEST_CASE("each modifier does what its line says, on letters of any script") {
  CHECK(with("capitalize", "élan VITAL") == "Élan VITAL");
  CHECK(with("lower", "ÀÉ Straße ЖΩ I") == "àé straße жω i");
  CHECK(with("lower_first", "The Man") == "the Man");
  CHECK(with("lower_first_word", "THE Man") == "the Man");
  CHECK(with("lower_first_word", "I saw") == "I saw");
  CHECK(with("drop_last", "caf\xC3\xA9") == "caf");
  CHECK(with("drop_last", "").empty());
  CHECK(with("drop_last", "a\x80") == "a");
  CHECK(with("drop_full_stop", "It fell.") == "It fell");
  CHECK(with("drop_full_stop", "It fell!") == "It fell!");
  CHECK(with("strip", " \t\u00a0x y\n\u3000") == "x y");
  CHECK(with("strip", " \n ").empty());
  CHECK(with("rstrip", " x ") == " x");
  CHECK(with("question_mark", "so?") == "so?");
  CHECK(with("prepend(' ')", "x") == " x");
  CHECK(with("replace('@highlight\\n', '- ')", "a\n@highlight\nb@highlight\n") == "a\n- b- ");
  CHECK(with("choose('effect', ' so', 'cause', ' because')", "cause") == " because");
  CHECK(with("first_words(2)", " ein \u00a0zwei drei") == " ein \u00a0zwei");
  CHECK(with("first_words(2)", "ein zwei") == "ein zwei");
}

TEST_CASE("modifiers leave bytes that are not UTF-8 as they are") {
  for (const auto& modifier : mezo::modifiers()) {
    CAPTURE(modifier.name);
    if (modifier.takes != mezo::Modifier::Takes::nothing) continue;
    CHECK(modifier.apply("", {}).size() <= 1);
    CHECK(modifier.apply("\xFF", {}).size() <= 2);
  }
  CHECK(with("lower", "A\xFF\xC3") == "a\xFF\xC3");
}

TEST_CASE("an argument is text in quotes, with braces and bars as they are, or another field") {
  CHECK(render("{q|replace('@{|}', who)|lower}!", {{"q", "Is @{|} in?"}, {"who", "ANN'S"}}) ==
        "is ann's in?!");
  CHECK(with(R"(replace( 'b' ,'\\\'' ))", "abc") == "a\\'c");
  CHECK(PromptTemplate("{q|replace('a', who)}").fields() == std::vector<std::string>{"q", "who"});
  CHECK_THROWS_WITH_AS(render("{q|replace('a', whom)}", {{"q", "a"}, {"who", ""}}),
                       "[template] the prompt needs the field 'whom', which the example lacks; did "
                       "you mean 'who'?",
                       mezo::DataError);
  CHECK_THROWS_WITH_AS(render("{q|choose('a', 'b')}", {{"q", "c"}}),
                       "[template] the field 'q' is 'c', and choose() has a text for 'a'",
                       mezo::DataError);
}

TEST_CASE("tokens are cut by whoever has them") {
  const PromptTemplate prompt("{a|drop_last|first_tokens(12)}<mask>{b}");
  CHECK(prompt.cuts_tokens());
  CHECK(!PromptTemplate("{a|first_words(3)}").cuts_tokens());
  const auto pieces = prompt.render_pieces({{"a", "xy"}, {"b", ""}});
  CHECK(pieces[0].text == "x");
  CHECK(pieces[0].most_tokens == 12);
  CHECK(pieces[2].most_tokens == 0);
}

TEST_CASE("a missing field is named with the nearest that exist") {
  const PromptTemplate prompt("{sentance}");
  try {
    prompt.render({{"sentence", "x"}, {"label", "1"}});
    FAIL("rendered");
  } catch (const mezo::MissingFieldError& error) {
    CHECK(error.field() == "sentance");
    CHECK(std::string(error.what()) ==
          "[template] the prompt needs the field 'sentance', which the example lacks; did you mean "
          "'sentence'?");
  }
  CHECK_THROWS_WITH_AS(prompt.render({{"a", ""}, {"b", ""}}),
                       "[template] the prompt needs the field 'sentance', the example has 'a', 'b'",
                       mezo::DataError);
}

TEST_CASE("a malformed template is refused at its column") {
  CHECK(column_of_error("é{open") == 2);
  CHECK(column_of_error("a } b") == 3);
  CHECK(column_of_error("{}") == 2);
  CHECK(column_of_error("{a{b}}") == 1);
  CHECK(column_of_error("{a b}") == 2);
  CHECK(column_of_error("{a|}") == 4);
  CHECK(column_of_error("{a|lower|shout}") == 10);
  CHECK(column_of_error("{a|replace('b')}") == 4);
  CHECK(column_of_error("{a|choose('b', 'c', 'd')}") == 4);
  CHECK(column_of_error("{a|lower('b')}") == 4);
  CHECK(column_of_error("{a|replace('b', 'c}") == 1);
  CHECK(column_of_error("{a|prepend('b' c)}") == 16);
  CHECK(column_of_error("{a|prepend('b')c}") == 16);
  CHECK(column_of_error("{a|prepend('b\\q')}") == 14);
  CHECK(column_of_error("{a|first_words(0)}") == 4);
  CHECK(column_of_error("{a|first_words(many)}") == 4);
  CHECK(column_of_error("{a|first_tokens(3)|lower}") == 20);
  CHECK_THROWS_WITH_AS(
      PromptTemplate("{a|shout}"),
      "[template] column 4: unknown modifier 'shout'; known are capitalize, choose, "
      "drop_full_stop, "
      "drop_last, first_tokens, first_words, lower, lower_first, lower_first_word, prepend, "
      "question_mark, replace, rstrip, strip",
      mezo::ConfigError);
}
