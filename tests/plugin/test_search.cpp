#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "core/plugin/registry.h"
#include "tests/plugin/plugins.h"
#include "tests/scratch_folder.h"

using namespace mezo;
namespace fs = std::filesystem;

TEST_CASE("folders come in order: --plugin-path, MEZO_PLUGIN_PATH, beside the executable") {
  ::setenv("MEZO_PLUGIN_PATH", "/c:relative::/a/", 1);
  const std::vector<PluginFolder> folders = plugin_folders({"/a", "/b/../d"});
  ::unsetenv("MEZO_PLUGIN_PATH");
  REQUIRE(folders.size() == 5);  // /a once; the folders of the executable and the library are one
  CHECK(folders[0].path == "/a");
  CHECK(folders[0].origin == "--plugin-path");
  CHECK(folders[1].path == "/d");
  CHECK(folders[2].path == "/c");
  CHECK(folders[2].origin == "MEZO_PLUGIN_PATH");
  CHECK(folders[3].path == fs::current_path() / "relative");
  CHECK(folders[4].path == fs::path(MEZO_BINARY_DIR) / "lib/mezo/plugins");
  CHECK(folders[4].origin == "beside the executable");
  CHECK_FALSE(folders[4].required);
}

TEST_CASE("a name stands for mezo_NAME.so in a folder, a path is relative to the config") {
  PluginSearch search = test::only(test::plugin_folder());
  search.base = test::plugin_folder().parent_path();
  const fs::path good = test::plugin_file("good");
  CHECK(find_plugin_file(search, "good") == good);
  CHECK(find_plugin_file(search, "mezo_good.so") == good);
  CHECK(find_plugin_file(search, "plugins/mezo_good.so") == good);
  CHECK(find_plugin_file(search, "./plugins/mezo_good.so") == good);
  CHECK(find_plugin_file(search, good.string()) == good);
}

TEST_CASE("a plugin that is not there is answered with the paths tried and a near name") {
  PluginSearch search = test::only(test::plugin_folder());
  search.folders.insert(search.folders.begin(), {"/nowhere", "MEZO_PLUGIN_PATH", true});
  search.named = {"goood"};
  const std::string folder = test::plugin_folder().string();
  const std::string expected = fmt::format(
      "[load_plugin] there is no plugin 'goood'; did you mean '{0}/mezo_good.so'? (tried: "
      "/nowhere/mezo_goood.so, {0}/mezo_goood.so); give a path, or the folder that it is in with "
      "--plugin-path or MEZO_PLUGIN_PATH",
      folder);
  CHECK_THROWS_WITH_AS(Registry{search}, expected.c_str(), PluginError);
}

TEST_CASE("of a folder only what ends in .so is tried, and what is no file is broken") {
  const ScratchFolder folder;
  std::ofstream(folder.path() / "README.md") << "text";
  std::ofstream(folder.path() / "mezo_a.so.bak") << "text";
  fs::create_directory(folder.path() / "folder.so");
  fs::create_symlink("/nowhere/at/all", folder.path() / "dangling.so");
  fs::create_symlink(test::plugin_file("good"), folder.path() / "link.so");
  const Registry registry(test::only(folder.path()));
  REQUIRE(registry.plugins().size() == 1);
  CHECK(registry.plugins()[0]->path == folder.path() / "link.so");
  REQUIRE(registry.broken().size() == 2);
  CHECK(registry.broken()[0].path == folder.path() / "dangling.so");
  CHECK(registry.broken()[1].path == folder.path() / "folder.so");
}
