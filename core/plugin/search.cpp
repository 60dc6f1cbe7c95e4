#include "core/plugin/search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/dll/runtime_symbol_info.hpp>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <system_error>

#include "core/config/nearest.h"
#include "core/error.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".so";

fs::path tidy(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  return (error ? path : absolute).lexically_normal();
}

void add(std::vector<PluginFolder>& folders, const fs::path& path, std::string origin,
         bool required) {
  if (path.empty()) return;
  const fs::path folder = tidy(path / "").parent_path();
  const bool known = std::any_of(folders.begin(), folders.end(),
                                 [&](const PluginFolder& other) { return other.path == folder; });
  if (!known) folders.push_back({folder, std::move(origin), required});
}

fs::path executable_folder() {
  boost::dll::fs::error_code error;
  const fs::path executable = boost::dll::program_location(error);
  return error ? fs::path() : executable.parent_path();
}

fs::path library_folder() {
  boost::dll::fs::error_code error;
  const fs::path library = boost::dll::this_line_location(error);
  return error ? fs::path() : library.parent_path();
}

std::vector<fs::path> paths_to_try(const PluginSearch& search, const std::string& name) {
  if (name.find('/') != name.npos) return {tidy(search.base / name)};
  const bool is_file = fs::path(name).extension() == extension;
  const std::string file = is_file ? name : fmt::format("mezo_{}{}", name, extension);
  std::vector<fs::path> paths;
  if (is_file) paths.push_back(tidy(search.base / file));
  for (const PluginFolder& folder : search.folders) paths.push_back(folder.path / file);
  return paths;
}

std::vector<fs::path> libraries_in(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == extension) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string near_file(const std::vector<fs::path>& tried) {
  for (const fs::path& path : tried) {
    std::error_code error;
    std::vector<std::string> names;
    for (const fs::path& file : libraries_in(path.parent_path(), error)) {
      names.push_back(file.filename().string());
    }
    if (const auto name = nearest(path.filename().string(), names)) {
      return fmt::format("; did you mean '{}'?", (path.parent_path() / *name).string());
    }
  }
  return "";
}

std::string list_of(const std::vector<fs::path>& paths) {
  if (paths.empty()) return "nowhere, because there is no folder to look in";
  std::vector<std::string> texts;
  for (const fs::path& path : paths) texts.push_back(path.string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

std::vector<PluginFolder> plugin_folders(const std::vector<std::string>& plugin_path) {
  std::vector<PluginFolder> folders;
  for (const std::string& path : plugin_path) add(folders, path, "--plugin-path", true);
  const char* variable = std::getenv("MEZO_PLUGIN_PATH");
  std::istringstream paths(variable ? variable : "");
  for (std::string path; std::getline(paths, path, ':');) {
    add(folders, path, "MEZO_PLUGIN_PATH", true);
  }
  if (const fs::path folder = executable_folder(); !folder.empty()) {
    add(folders, folder / "../lib/mezo/plugins", "beside the executable", false);
  }
  if (const fs::path folder = library_folder(); !folder.empty()) {
    add(folders, folder / "mezo/plugins", "the install's folder", false);
  }
  return folders;
}

fs::path find_plugin_file(const PluginSearch& search, const std::string& name) {
  const std::vector<fs::path> tried = paths_to_try(search, name);
  for (const fs::path& path : tried) {
    std::error_code error;
    if (fs::exists(path, error)) return path;
  }
  throw PluginError(
      fmt::format("[load_plugin] there is no plugin '{}'{} (tried: {}); give a path, or the folder "
                  "that it is in "
                  "with --plugin-path or MEZO_PLUGIN_PATH",
                  name, near_file(tried), list_of(tried)));
}

std::vector<fs::path> plugin_files(const PluginFolder& folder) {
  std::error_code error;
  std::vector<fs::path> files = libraries_in(folder.path, error);
  if (error && folder.required) {
    throw PluginError(fmt::format("the folder cannot be read: {}; it comes from {}",
                                  error.message(), folder.origin));
  }
  return files;
}

}  // namespace mezo
