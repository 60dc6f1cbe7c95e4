#include <doctest/doctest.h>

#include "core/config/emit.h"
#include "core/config/reader.h"
#include "tests/scratch_folder.h"

using namespace mezo;

namespace {

std::string error_of(const std::string& path) {
  Diagnostics d;
  CHECK_FALSE(read_yaml(path, d).has_value());
  REQUIRE(d.errors().size() == 1);
  return id(d.errors()[0].code) + " " + d.errors()[0].message;
}

std::string repeated(const std::string& text, std::size_t bytes) {
  std::string result;
  while (result.size() < bytes) result += text;
  return result;
}

Value read(const std::string& path) {
  Diagnostics d;
  auto value = read_yaml(path, d);
  REQUIRE_MESSAGE(value.has_value(), d.render());
  CHECK_MESSAGE(!d.has_errors(), d.render());
  return *value;
}

}  // namespace

TEST_CASE("values keep the line and the column, in characters, that they were written at") {
  ScratchFolder folder;
  const Value tree = read(folder.write("a.yaml", "a: 1\nb:\n  - \"é\": {c: x}\n    d: y\n"));
  CHECK(tree.entry("b")->mark.line == 2);
  const Value& item = tree.find("b")->items[0];
  CHECK(item.entry("é")->mark.column == 5);
  CHECK(item.find("é")->find("c")->mark.line == 3);
  CHECK(item.find("é")->find("c")->mark.column == 14);
  CHECK(item.entry("d")->mark.line == 4);
  CHECK(item.find("d")->mark.source->folder == folder.path());
}

TEST_CASE("anchors and aliases are expanded where they are used") {
  ScratchFolder folder;
  const Value tree = read(folder.write("a.yaml", "a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n"));
  CHECK(to_yaml(tree) == "a:\n  k: [1, 2]\nb:\n  k: [1, 2]\nc: [{k: [1, 2]}, {k: [1, 2]}]\n");
  CHECK(tree.find("b")->mark.line == 2);
  CHECK(tree.find("b")->find("k")->mark.line == 1);
}

TEST_CASE("line ends of any system and a byte order mark read the same") {
  ScratchFolder folder;
  const Value unix = read(folder.write("a.yaml", "a: 1\nb: |\n  x\n  y\n"));
  CHECK(same(unix, read(folder.write("b.yaml", "a: 1\r\nb: |\r\n  x\r\n  y\r\n"))));
  CHECK(same(unix, read(folder.write("c.yaml", "a: 1\rb: |\r  x\r  y\r"))));
  CHECK(same(unix, read(folder.write("d.yaml",
                                     "\xEF\xBB\xBF"
                                     "a: 1\nb: |\n  x\n  y\n"))));
}

TEST_CASE("what is not a readable file is named as such") {
  ScratchFolder folder;
  folder.write("sst2.yaml", "a: 1\n");
  CHECK(error_of((folder.path() / "sst3.yaml").string())
            .ends_with("does not exist; did you mean 'sst2.yaml'?"));
  CHECK(error_of("").starts_with("C001 "));
  CHECK(error_of(folder.path().string()).starts_with("C002 "));
  CHECK(error_of("/dev/zero").starts_with("C002 "));
  CHECK(error_of("/dev/null/a").starts_with("C0"));
}

TEST_CASE("a file of 10 MB is refused without being read") {
  ScratchFolder folder;
  const auto error = error_of(folder.write("big.yaml", repeated("a: 1\n", 10'000'000)));
  CHECK(error.starts_with("C004 "));
  CHECK(error.find("has 10000000 bytes; a configuration may have 1048576") != std::string::npos);
}

TEST_CASE("aliases that multiply are refused before they are expanded") {
  ScratchFolder folder;
  std::string text = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 64; ++i) {
    const std::string last = "*a" + std::to_string(i - 1), name = "a" + std::to_string(i);
    text += name + ": &" + name + " [" + last + ", " + last + "]\n";
  }
  CHECK(error_of(folder.write("laughs.yaml", text)).starts_with("C011 more than 100000 values"));
}

TEST_CASE("nesting is bounded, through aliases too") {
  ScratchFolder folder;
  for (const char* unit : {"[", "{", "- ", "? ", "[a: ", "{a: ", "&a [", "[\n"})
    CHECK(error_of(folder.write("deep.yaml", repeated(unit, 200'000))).starts_with("C010 "));
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 1000; ++i) {
    const std::string last = "*a" + std::to_string(i - 1), name = "a" + std::to_string(i);
    text += name + ": &" + name + " [" + last + "]\n";
  }
  CHECK(error_of(folder.write("chain.yaml", text)).starts_with("C010 "));
}

TEST_CASE("a quote that is never closed does not swallow the rest of the file") {
  ScratchFolder folder;
  for (const std::string text : {"a: \"x\nb: 1\n", "a: 'x\nb: 1\n", "a: &n # why\n  'x''\nb: 1\n",
                                 "a: [\"x\n", "a: \"x\\\"\n", "\"a: 1\n", "a: 'x"})
    CHECK_MESSAGE(error_of(folder.write("quote.yaml", text)).starts_with("C006 a quote is opened"),
                  text);
  CHECK(read(folder.write("closed.yaml", "a: 'it''s'\nb: \"\\\"\\\\\"\nc: 'x\n  y'\nd: |\n  \"\n"))
            .find("a")
            ->text == "it's");
}

TEST_CASE("an override's value is YAML only where it begins like a list, a map or a quote") {
  const auto value = [](const std::string& text) {
    auto source = std::make_shared<Source>();
    source->lines = {text};
    Diagnostics d;
    auto result = parse_value(source, 0, d);
    return d.has_errors() ? id(d.errors()[0].code) + "\n" : to_yaml(result.value());
  };
  CHECK(value("[a, 'b c', 1]") == "[a, \"b c\", 1]\n");
  CHECK(value("{a: 1}") == "a: 1\n");
  CHECK(value("\" terrible\"") == "\" terrible\"\n");
  CHECK(value("a: b # c") == "\"a: b # c\"\n");
  CHECK(value("*x") == "\"*x\"\n");
  CHECK(value("  7 ") == "7\n");
  CHECK(value("") == "\"\"\n");
  CHECK(value("~") == "null\n");
  CHECK(value("'~'") == "\"~\"\n");
  for (const std::string bad :
       {"[a", "[a] b", "{a: 1}: b", "'a': b", "\"a\" b", "[*x]", "[!!int 1]", "'a", "\xFF"})
    CHECK_MESSAGE(value(bad).starts_with("C0"), bad);
}
