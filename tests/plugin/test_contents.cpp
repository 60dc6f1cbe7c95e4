#include <doctest/doctest.h>

#include "core/plugin/loader.h"
#include "tests/plugin/plugins.h"

using namespace mezo;
using mezo::test::plugin_file;

namespace {

std::string fault(const std::string& name) {
  const LoadResult result = load_plugin(plugin_file(name));
  CHECK(result.plugin == nullptr);
  return result.reason;
}

}  // namespace

TEST_CASE("every fault of a component array is named at once") {
  CHECK(
      fault("malformed") ==
      "its components are malformed: component 0 has no id; component 1 has no id; "
      "peft 'lacks_factory' has no create function; peft 'lacks_factory' has no destroy "
      "function; peft 'lacks_summary' has no summary; peft 'lacks_table': its parameter table is "
      "null; peft 'bad_table': its parameter table: one stands in the table twice; peft 'serving' "
      "says what it serves, which only a model does; mend the array that it gives to MEZO_PLUGIN");
}

TEST_CASE("an id in upper case is refused") {
  CHECK(fault("upper_case_id") ==
        "its components are malformed: objective 'Upper_Case': an id is lower-case letters, digits "
        "and _ - . after a letter; mend the array that it gives to MEZO_PLUGIN");
}

TEST_CASE("an unknown kind or type is a number in a message") {
  CHECK(fault("unknown_numbers") ==
        "its components are malformed: component 0 has the unknown kind 7; peft 'table': its "
        "parameter table: odd: unknown type 99; mend the array that it gives to MEZO_PLUGIN");
}

TEST_CASE("one id twice in one plugin is refused, the same id in two kinds is not the fault") {
  CHECK(fault("twice") ==
        "its components are malformed: peft 'same' stands twice; mend the array that it gives to "
        "MEZO_PLUGIN");
}

TEST_CASE("a plugin without components is refused") {
  CHECK(fault("empty") ==
        "its components are malformed: it declares no components; mend the array that it gives to "
        "MEZO_PLUGIN");
}
