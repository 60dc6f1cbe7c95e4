#include <doctest/doctest.h>

#include <limits>

#include "core/config/interval.h"
#include "core/config/nearest.h"
#include "core/config/reader.h"
#include "core/config/schema.h"
#include "core/config/spelling.h"
#include "core/config/table.h"
#include "sample.h"

using namespace mezo;

namespace {

std::string number(const std::string& text) {
  const auto read = read_number(text);
  if (const auto* refusal = std::get_if<Refusal>(&read)) return id(refusal->code);
  return std::to_string(std::get<double>(read));
}

std::string integer(const std::string& text) {
  const auto read = read_integer(text);
  if (const auto* refusal = std::get_if<Refusal>(&read)) return id(refusal->code);
  return std::to_string(std::get<std::int64_t>(read));
}

Value map_of(const std::string& flow, const std::filesystem::path& folder = {}) {
  auto source = std::make_shared<Source>();
  source->lines = {flow};
  source->folder = folder;
  Diagnostics d;
  return parse_value(source, 0, d).value();
}

}  // namespace

TEST_CASE("numbers are decimal, finite and spelt one way") {
  CHECK(number("2e-5") == "0.000020");
  CHECK(number(".5") == "0.500000");
  CHECK(number("1.") == "1.000000");
  CHECK(number("+1E+3") == "1000.000000");
  CHECK(number("-0") == "-0.000000");
  for (const std::string bad :
       {"", "-", ".", "e3", "1e", "1e+", "1e+-3", "1 2", "1f", "--1", "+-1", "1e3.5", "abc"})
    CHECK_MESSAGE(number(bad) == "C019", bad);
  for (const std::string bad : {"0x10", "0o7", "0b1", "1_000", "1,000", "0123", "-00.5", "inf",
                                "-.inf", "NaN", "1e999", "1e-999", "1e99999999999999999999"})
    CHECK_MESSAGE(number(bad) == "C020", bad);
}

TEST_CASE("integers may be written with an exponent where they are whole, exactly") {
  CHECK(integer("1e3") == "1000");
  CHECK(integer("1.5e3") == "1500");
  CHECK(integer("2.0") == "2");
  CHECK(integer("120e-1") == "12");
  CHECK(integer("0e99999") == "0");
  CHECK(integer("9223372036854775807") == "9223372036854775807");
  CHECK(integer("-9223372036854775808") == "-9223372036854775808");
  CHECK(integer("9007199254740993") == "9007199254740993");
  for (const std::string bad : {"1.5", "1e-1", "", "ten", "1e-99999999999999999999"})
    CHECK_MESSAGE(integer(bad) == "C019", bad);
  for (const std::string bad : {"9223372036854775808", "1e19", "1e99999", "0x10", "010", "1_000"})
    CHECK_MESSAGE(integer(bad) == "C020", bad);
  const auto refusal = std::get<Refusal>(read_integer("-0123"));
  CHECK(refusal.hint == "some YAML readers take this for octal; write -123");
}

TEST_CASE("an interval says its constraint") {
  CHECK(parse_interval("(0, inf)")->constraint("epsilon") == "epsilon > 0");
  CHECK(parse_interval("[1, 65536]")->constraint("rank") == "1 <= rank <= 65536");
  CHECK(parse_interval("(-inf, 0.5]")->constraint("x") == "x <= 0.5");
  CHECK_FALSE(parse_interval("(0, inf)")->contains(0));
  CHECK(parse_interval("[0, 1)")->contains(0));
  CHECK_FALSE(parse_interval("[0, 1)")->contains(1));
  CHECK(parse_interval("[1, 1]")->contains(1));
  for (const std::string bad :
       {"", "0, 1", "(0, 1", "(0; 1)", "[0, inf]", "(1, 0)", "(1, 1)", "(a, 1)", "(0, 1, 2)"})
    CHECK_MESSAGE(!parse_interval(bad), bad);
}

TEST_CASE("the nearest word is what a typo meant, and nothing when none is near") {
  const std::vector<std::string> words = {"epsilon", "learning_rate", "weight_decay", "batch_size",
                                          "probes"};
  CHECK(nearest("epsilion", words) == "epsilon");
  CHECK(nearest("EPSILON", words) == "epsilon");
  CHECK(nearest("espilon", words) == "epsilon");
  CHECK(nearest("lr", words) == "learning_rate");
  CHECK(nearest("batch", words) == "batch_size");
  CHECK(nearest("probe", words) == "probes");
  CHECK_FALSE(nearest("colour", words));
  CHECK_FALSE(nearest("", words));
  CHECK_FALSE(nearest("x", words));
  CHECK_FALSE(nearest(std::string(10'000, 'a'), words));
  CHECK_FALSE(nearest("_rate", std::vector<std::string>{"a_rate_x", "b_rate_y"}));
}

TEST_CASE("a block without a value takes every default") {
  const mezo_parameter table[] = {
      {"rank", MEZO_INTEGER, "8", nullptr, nullptr, nullptr, "r"},
      {"targets", MEZO_TEXT_LIST, "[q_proj, v_proj]", nullptr, nullptr, nullptr, "t"},
      {"label", MEZO_TEXT, "\" great\"", nullptr, nullptr, nullptr, "l"},
      {"none", MEZO_TEXT_LIST, "", nullptr, nullptr, nullptr, "n"},
      {"file", MEZO_PATH, "", nullptr, nullptr, nullptr, "f"},
  };
  REQUIRE(check_table(table) == "");
  Diagnostics d;
  const Parameters p = check(nullptr, "peft", table, d);
  CHECK_FALSE(d.has_errors());
  CHECK(p.integer("rank") == 8);
  CHECK(p.list("targets") == std::vector<std::string>{"q_proj", "v_proj"});
  CHECK(p.text("label") == " great");
  CHECK(p.list("none").empty());
  CHECK(p.text("file") == "");
  CHECK_FALSE(p.given("rank"));
  CHECK_THROWS_AS(p.given("absent"), std::logic_error);
  CHECK_THROWS_AS(p.number("rank"), std::logic_error);
  CHECK_THROWS_AS(p.text("absent"), std::logic_error);
}

TEST_CASE("values are read by their row") {
  const char* const words[] = {"auto", nullptr};
  const mezo_parameter table[] = {
      {"a", MEZO_NUMBER, "auto", "(0, inf)", words, nullptr, "a"},
      {"b", MEZO_NUMBER, "1", "(0, inf)", words, nullptr, "b"},
      {"c", MEZO_TEXT, "x", nullptr, nullptr, nullptr, "c"},
      {"d", MEZO_TEXT_LIST, "[]", nullptr, nullptr, nullptr, "d"},
      {"e", MEZO_PATH, "", nullptr, nullptr, nullptr, "e"},
      {"f", MEZO_BOOLEAN, "false", nullptr, nullptr, nullptr, "f"},
  };
  Diagnostics d;
  const Value block =
      map_of("{a: 2e-5, b: 'auto', c: 5, d: q_proj, e: ../data/x, f: True}", "/configs/sub");
  const Parameters p = check(&block, "block", table, d);
  CHECK_MESSAGE(!d.has_errors(), d.render());
  CHECK(p.number("a") == 2e-5);
  CHECK(p.values().at("a").text == "2e-5");
  CHECK(p.is_word("b"));
  CHECK(p.text("b") == "auto");
  CHECK(p.text("c") == "5");
  CHECK(p.list("d") == std::vector<std::string>{"q_proj"});
  CHECK(p.text("e") == "/configs/data/x");
  CHECK(p.boolean("f"));
  CHECK(p.given("f"));
}

TEST_CASE("a table that could not be used is refused with the row and the reason") {
  const char* const words[] = {"auto", nullptr};
  const char* const empty[] = {nullptr};
  const auto problem = [](mezo_parameter row) { return check_table({&row, 1}); };
  CHECK(problem({nullptr, MEZO_TEXT, "", nullptr, nullptr, nullptr, "d"}) == "row 1 has no name");
  CHECK(problem({"Rank", MEZO_TEXT, "", nullptr, nullptr, nullptr, "d"}) ==
        "'Rank' is not a name in snake_case");
  CHECK(problem({"rank", MEZO_TEXT, "", nullptr, nullptr, nullptr, nullptr}) == "rank: has no doc");
  CHECK(problem({"rank", static_cast<mezo_type>(5 + 1), "", nullptr, nullptr, nullptr, "d"}) ==
        "rank: unknown type 6");
  CHECK(problem({"rank", MEZO_INTEGER, "0", "[1, 8]", nullptr, nullptr, "d"}) ==
        "rank: the default '0' does not pass: violated constraint: 1 <= rank <= 8, got 0");
  CHECK(problem({"rank", MEZO_INTEGER, "1", "1..8", nullptr, nullptr, "d"}) ==
        "rank: range '1..8' is not an interval such as (0, inf)");
  CHECK(problem({"rank", MEZO_TEXT, "x", "[1, 8]", nullptr, nullptr, "d"}) ==
        "rank: a range needs a numeric type");
  CHECK(problem({"mode", MEZO_TEXT, "atuo", nullptr, words, nullptr, "d"}) ==
        "mode: the default 'atuo' does not pass: mode cannot be 'atuo'; did you mean 'auto'?");
  CHECK(problem({"mode", MEZO_TEXT, nullptr, nullptr, empty, nullptr, "d"}) ==
        "mode: has an empty list of choices");
  CHECK(problem({"on", MEZO_BOOLEAN, "yes", nullptr, nullptr, nullptr, "d"})
            .starts_with("on: the default 'yes'"));
  CHECK(problem({"on", MEZO_BOOLEAN, "true", nullptr, words, nullptr, "d"}) ==
        "on: choices mean nothing for type boolean");
  CHECK(problem({"rank", MEZO_INTEGER, "auto", "[1, 8]", words, nullptr, "d"}) == "");
  const mezo_parameter twice[] = {{"a", MEZO_TEXT, "", nullptr, nullptr, nullptr, "d"},
                                  {"a", MEZO_TEXT, "", nullptr, nullptr, nullptr, "d"}};
  CHECK(check_table(twice) == "a stands in the table twice");
  for (const auto& table : sample::tables()) CHECK(check_table(table) == "");
}

TEST_CASE("a table is described in aligned columns") {
  const char* const words[] = {"auto", nullptr};
  const mezo_parameter table[] = {
      {"epsilon", MEZO_NUMBER, "auto", "(0, 1]", words, nullptr, "size of the perturbation"},
      {"file", MEZO_PATH, nullptr, nullptr, nullptr, nullptr, "task file"},
      {"tokens", MEZO_INTEGER, "5", "[1, 1024]", nullptr, "tokens", "length of the prefix"},
  };
  CHECK(describe(table) ==
        "name     type     default   range or choices  unit    what it does\n"
        "epsilon  number   auto      (0, 1] or auto            size of the perturbation\n"
        "file     path     required                            task file\n"
        "tokens   integer  5         [1, 1024]         tokens  length of the prefix\n");
}
