#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/plugin/listing.h"
#include "tests/plugin/plugins.h"

using namespace mezo;

TEST_CASE("a listing has a row for each component, sorted by kind and id") {
  const std::string file = test::plugin_file("good").string();
  CHECK(list_components(Registry(test::named({"good"}))) ==
        fmt::format("KIND       ID       SUMMARY                PLUGIN      FILE\n"
                    "model      llama    a model                good 1.2.3  {0}\n"
                    "objective  good     says good              good 1.2.3  {0}\n"
                    "objective  greeter  says when it was made  good 1.2.3  {0}\n",
                    file));
}

// One of the plugins has a factory that aborts, so this also shows that none is run.
TEST_CASE("a listing survives all broken plugins at once and gives their reasons") {
  const Registry registry(test::only(test::plugin_folder()));
  const std::string text = list_components(registry);
  for (const char* name :
       {"empty",      "good_again",       "larger_struct",   "malformed",     "no_entry",
        "not_elf",    "null_entry",       "null_torch",      "older_abi",     "throwing_entry",
        "twice",      "undefined_symbol", "unknown_numbers", "upper_case_id", "wrong_abi",
        "wrong_cuda", "wrong_cxx11_abi",  "wrong_sanitizer", "wrong_sdk",     "wrong_torch"}) {
    CHECK_MESSAGE(
        text.find(fmt::format("\nbroken: {}: it", test::plugin_file(name).string())) != text.npos,
        name);
  }
  CHECK(registry.broken().size() == 20);
  CHECK(registry.plugins().size() == 4);
  CHECK(text.find("\nobjective  aborts ") != text.npos);
  CHECK(text.find(fmt::format("\nwarning: {}: it was built with compiler 'gcc 4.8.5'",
                              test::plugin_file("other_compiler").string())) != text.npos);
  CHECK(text.find(fmt::format("\nsearched: {} (--plugin-path)\n",
                              test::plugin_folder().string())) != text.npos);
}

TEST_CASE("a listing of nothing says so, and where it looked") {
  CHECK(list_components(Registry({{}, {}, {{"/nowhere", "beside the executable"}}})) ==
        "no components\nsearched: /nowhere (beside the executable)\n");
  CHECK(list_components(Registry({{}, {}, {{"/nowhere", "--plugin-path", true}}})) ==
        "no components\n"
        "broken: /nowhere: the folder cannot be read: No such file or directory; it comes from "
        "--plugin-path\n"
        "searched: /nowhere (--plugin-path)\n");
}
