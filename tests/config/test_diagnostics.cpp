#include <doctest/doctest.h>

#include <set>

#include "core/config/diagnostics.h"
#include "core/config/display.h"
#include "core/error.h"

using namespace mezo;

namespace {

Mark mark(const std::string& name, const std::string& line, int column, int argument = 0) {
  auto source = std::make_shared<Source>();
  source->name = name;
  source->lines = {line};
  source->argument = argument;
  return {source, 1, column};
}

}  // namespace

TEST_CASE("every error has an id of its own and a title") {
  std::set<std::string> ids;
  for (const CatalogueEntry& entry : catalogue()) {
    CHECK(ids.insert(id(entry.code)).second);
    CHECK_FALSE(entry.title.empty());
  }
  CHECK(id(Code::unknown_key) == "C012");
  CHECK(title(Code::extends_cycle) != "");
  CHECK(ids.size() == static_cast<std::size_t>(Code::extends_cycle));
}

TEST_CASE("all errors are thrown at once, by position, arguments last and in their order") {
  Diagnostics d;
  CHECK_NOTHROW(d.throw_if_any());
  d.error(Code::unknown_key, mark("argument 10", "x=1", 1, 10), "third");
  d.error(Code::unknown_key, mark("argument 2", "y=1", 1, 2), "second");
  d.error(Code::tag, mark("a.yaml", "a: !b", 4), "first", "a hint");
  try {
    d.throw_if_any();
    FAIL("nothing was thrown");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what()) ==
          "a.yaml:1:4: error[C014]: first\n  a: !b\n     ^\n  hint: a hint\n"
          "argument 2: error[C012]: second\n  y=1\n  ^\n"
          "argument 10: error[C012]: third\n  x=1\n  ^\n3 errors");
  }
}

TEST_CASE("thousands of errors are counted and the first fifty shown") {
  Diagnostics d;
  for (int i = 0; i < 2000; ++i) d.error(Code::unknown_key, mark("a.yaml", "x", 1), "m");
  const std::string text = d.render();
  CHECK(text.ends_with("2000 errors, the first 50 shown\n"));
  CHECK(text.size() < 5000);
}

TEST_CASE("warnings are not errors") {
  Diagnostics d;
  d.warning(Code::out_of_range, mark("a.yaml", "x", 1), "large");
  CHECK_NOTHROW(d.throw_if_any());
  CHECK(d.render() == "");
  CHECK(d.render_warnings() == "a.yaml:1:1: warning[C021]: large\n  x\n  ^\n");
}

TEST_CASE("a line is cut around its caret and cannot garble the terminal") {
  const std::string line = std::string(300, 'a') + "X" + std::string(300, 'b');
  const Excerpt cut = excerpt(line, 301);
  CHECK(cut.line.size() == 106);
  CHECK(cut.line[cut.caret.size() - 1] == 'X');
  CHECK(excerpt("a\tb\x1b[0m\xff", 3).line == "a b?[0m?");
  CHECK(excerpt("模型: x", 3).caret == "    ^");
  CHECK(excerpt("", 1).caret == "^");
  CHECK(excerpt("ab", 99).caret == "  ^");
  CHECK(shown("a\x1b\n\xff") == "'a\\x1b\\n\\xff'");
  CHECK(shown(std::string(100, 'a'), 3) == "'aaa...'");
}

TEST_CASE("invalid UTF-8 is found where it begins") {
  CHECK(find_invalid_utf8("aé模😀") == std::string::npos);
  CHECK(find_invalid_utf8("a\xC3") == 1);
  CHECK(find_invalid_utf8("\xC0\x80") == 0);
  CHECK(find_invalid_utf8("\xED\xA0\x80") == 0);
  CHECK(find_invalid_utf8("\xF4\x90\x80\x80") == 0);
  CHECK(find_invalid_utf8("a\x80") == 1);
}
