#include <doctest/doctest.h>

#include "core/error.h"
#include "core/task/examples.h"
#include "tests/scratch_folder.h"

using namespace mezo;

namespace {

std::vector<Example> read(const std::string& name, const std::string& text,
                          std::int64_t limit = 0) {
  const ScratchFolder folder;
  return read_examples(folder.write(name, text), limit);
}

// The message without the folder that the file lies in.
std::string data_error(const std::string& name, const std::string& text) {
  const ScratchFolder folder;
  try {
    read_examples(folder.write(name, text));
  } catch (const DataError& e) {
    std::string message = e.what();
    const std::string prefix = folder.path().string() + "/";
    for (std::size_t at; (at = message.find(prefix)) != std::string::npos;)
      message.erase(at, prefix.size());
    return message;
  }
  return "no error";
}

}  // namespace

TEST_CASE("JSON lines become fields; numbers and booleans become text, other values are left out") {
  const auto examples = read(
      "a.jsonl", "{\"s\": \"x\", \"n\": 3, \"f\": 1.5, \"b\": true, \"z\": null, \"l\": [1]}\n");
  REQUIRE(examples.size() == 1);
  CHECK(examples[0].fields ==
        PromptTemplate::Fields{{"s", "x"}, {"n", "3"}, {"f", "1.5"}, {"b", "true"}});
}

TEST_CASE("rows and lines are counted apart: blank lines have a number and are no row") {
  const auto examples = read("a.jsonl", "\n{\"a\": 1}\n  \n\n{\"a\": 2}\n");
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].row == 0);
  CHECK(examples[0].line == 2);
  CHECK(examples[1].row == 1);
  CHECK(examples[1].line == 5);
}

TEST_CASE("a byte order mark, Windows line ends and a missing last line end change nothing") {
  const auto json = read("a.jsonl", "\xEF\xBB\xBF{\"a\": 1}\r\n\r\n{\"a\": 2}");
  REQUIRE(json.size() == 2);
  CHECK(json[1].fields.at("a") == "2");
  const auto tsv = read("a.tsv", "\xEF\xBB\xBFsentence\tlabel\r\nfine\t1\r\nbad\t0");
  REQUIRE(tsv.size() == 2);
  CHECK(tsv[0].fields == PromptTemplate::Fields{{"sentence", "fine"}, {"label", "1"}});
  CHECK(tsv[1].fields.at("label") == "0");
  CHECK(tsv[1].line == 3);
}

TEST_CASE("a limit reads only the first rows, and what stands behind them is not looked at") {
  CHECK(read("a.jsonl", "{\"a\": 1}\n{\"a\": 2}\nnonsense\n", 2).size() == 2);
}

TEST_CASE("a line of megabytes is read whole") {
  const std::string text(5'000'000, 'x');
  const auto examples = read("a.jsonl", "{\"a\": \"" + text + "\"}\n");
  CHECK(examples[0].fields.at("a").size() == text.size());
}

TEST_CASE(
    "every line that is wrong is reported with its number, and its column where it is known") {
  CHECK(data_error("a.jsonl", "{\"a\": 1}\n{\"a\": }\n[1]\n{\"a\"\n") ==
        "a.jsonl:2:7: not a JSON object: 'syntax error while parsing value - unexpected '}'; "
        "expected '[', '{', or a literal'\n"
        "a.jsonl:3: expected one JSON object a line, got array\n"
        "a.jsonl:4:5: not a JSON object: 'syntax error while parsing object separator - unexpected "
        "end of input; expected ':''");
}

TEST_CASE("a long broken line gives a short message") {
  CHECK(data_error("a.jsonl", "{\"a\": \"" + std::string(100'000, 'x') + "\n").size() < 400);
}

TEST_CASE("text that is not UTF-8 is refused with line and column") {
  CHECK(data_error("a.jsonl", "{\"a\": 1}\n{\"a\": \"caf\xE9\"}\n") ==
        "a.jsonl:2:11: not UTF-8 text; save the file as UTF-8");
  CHECK(data_error("a.tsv", "a\nok\n\xFF\n") ==
        "a.tsv:3:1: not UTF-8 text; save the file as UTF-8");
}

TEST_CASE("TSV rows have as many cells as the header, whose names are there once") {
  CHECK(data_error("a.tsv", "a\tb\n1\t2\n1\n1\t2\t3\n") ==
        "a.tsv:3: expected 2 tab-separated values as in the header, got 1\n"
        "a.tsv:4: expected 2 tab-separated values as in the header, got 3");
  CHECK(data_error("a.tsv", "a\ta\n1\t2\n") == "a.tsv:1: the header names the field 'a' twice");
  CHECK(data_error("a.tsv", "a\t\n1\t2\n") == "a.tsv:1: the header names no field in column 2");
}

TEST_CASE("a file without examples, of another kind, or that is a folder says so") {
  CHECK(data_error("a.jsonl", "") == "a.jsonl: holds no examples");
  CHECK(data_error("a.jsonl", "\n \n") == "a.jsonl: holds no examples");
  CHECK(data_error("a.tsv", "a\tb\n") == "a.tsv: holds no examples");
  CHECK(data_error("a.csv", "a,b\n") == "a.csv: expected a .jsonl or .tsv file, got '.csv'");
  CHECK(data_error("a", "") == "a: expected a .jsonl or .tsv file, got no extension");
  CHECK(data_error("a.jsonl/b", "").starts_with("a.jsonl/b: expected"));
  const ScratchFolder folder;
  CHECK_THROWS_WITH_AS(
      read_examples(folder.path().string()),
      (folder.path().string() + ": is a folder; expected a .jsonl or .tsv file").c_str(),
      DataError);
  const std::string absent = (folder.path() / "absent.jsonl").string();
  CHECK_THROWS_WITH_AS(
      read_examples(absent),
      (absent + ": cannot be read: No such file or directory; expected a .jsonl or .tsv file")
          .c_str(),
      DataError);
}
