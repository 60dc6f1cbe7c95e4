// docs/tasks.md and the files in configs/tasks.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/config/table.h"
#include "core/task/task.h"
#include "core/text/modifiers.h"

using namespace mezo;

namespace {

std::string page() {
  std::stringstream text;
  text << std::ifstream(MEZO_SOURCE_DIR "/docs/tasks.md").rdbuf();
  return text.str();
}

void has(const std::string& text, const std::string& part) {
  if (text.find(part) == std::string::npos) FAIL_CHECK("docs/tasks.md should have:\n" << part);
}

}  // namespace

TEST_CASE("docs/tasks.md states the keys and modifiers as they are") {
  const std::string text = page();
  CHECK(check_table(task_file_settings()) == "");
  has(text, "```\n" + describe(task_file_settings()) + "```\n");
  std::string rows;
  for (const Modifier& m : modifiers())
    rows += fmt::format("| `{}{}` | {} |\n", m.name, m.arguments, m.doc);
  has(text, "| modifier | what it makes of the field |\n| --- | --- |\n" + rows);
}

TEST_CASE("every shipped task is right and has a line in docs/tasks.md") {
  const std::string text = page();
  for (const auto& entry : std::filesystem::directory_iterator(MEZO_SOURCE_DIR "/configs/tasks")) {
    const Task task = load_task(entry.path().string());
    has(text, "| `" + task.name + "` |");
    CHECK(task.remarks().empty());
  }
}
