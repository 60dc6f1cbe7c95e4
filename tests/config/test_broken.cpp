// Every file of tests/config/broken has a mistake (or several), and beside it the text that a user
// sees for it. A first line
// `# arguments: a=1 b=2` gives overrides, separated by two spaces. To add a case: write the .yaml,
// run this test, read the text that it prints critically, and only then save it as .stderr.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "sample.h"

namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> arguments_of(const std::string& text) {
  const std::string start = "# arguments: ";
  std::vector<std::string> result;
  if (!text.starts_with(start)) return result;
  std::string rest = text.substr(start.size(), text.find('\n') - start.size());
  for (std::size_t gap; (gap = rest.find("  ")) != std::string::npos; rest.erase(0, gap + 2))
    result.push_back(rest.substr(0, gap));
  result.push_back(rest);
  return result;
}

std::string message_of(const std::string& file) {
  try {
    sample::check_run(file, arguments_of(text_of(file)));
  } catch (const mezo::ConfigError& error) {
    return std::string(error.what()) + "\n";
  }
  return "accepted\n";
}

}  // namespace

TEST_CASE("every broken configuration gives the error text beside it") {
  const fs::path before = fs::current_path();
  fs::current_path(fs::path(MEZO_SOURCE_DIR) / "tests/config/broken");
  int cases = 0;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(".")) files.push_back(entry.path().filename());
  std::sort(files.begin(), files.end());
  std::string differing;
  for (const fs::path& file : files) {
    if (file.extension() != ".yaml") continue;
    ++cases;
    const std::string got = message_of(file.string());
    if (got != text_of(fs::path(file).replace_extension(".stderr")))
      differing += "== " + file.string() + "\n" + got;
  }
  fs::current_path(before);
  CHECK_MESSAGE(differing.empty(), "files whose text differs, with what they give now:\n"
                                       << differing);
  CHECK(cases >= 35);
}
