#pragma once
// Where plugins are looked for. The order is: what a config names in `plugins:`, the folders of
// --plugin-path, those of MEZO_PLUGIN_PATH, the folder beside the executable, and the one beside
// the host library (the installed one). Of two components with one id the first found wins.

#include <filesystem>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

struct PluginFolder {
  std::filesystem::path path;
  std::string origin;     // who asked for it, for messages: "--plugin-path"
  bool required = false;  // a missing folder is reported rather than passed over
};

struct PluginSearch {
  // As written in `plugins:`. With a slash: a path, relative to `base`. Ending in .so: a file in
  // `base` or in a folder. Otherwise NAME stands for the file mezo_NAME.so in a folder.
  std::vector<std::string> named;
  std::filesystem::path base;  // the folder of the config that names them
  std::vector<PluginFolder> folders;
  bool demand_named = true;  // false: a named one that cannot be used is remembered as broken
};

// The folders of the order above, absolute, each once. `plugin_path` is what --plugin-path gave.
MEZO_API std::vector<PluginFolder> plugin_folders(const std::vector<std::string>& plugin_path = {});

// The file that an entry of `plugins:` stands for. Throws PluginError with the paths that were
// tried and a file of a similar name if there is one.
MEZO_API std::filesystem::path find_plugin_file(const PluginSearch& search,
                                                const std::string& name);

// The *.so entries of a folder, sorted by name. Throws PluginError if the folder is required and
// cannot be read.
std::vector<std::filesystem::path> plugin_files(const PluginFolder& folder);

}  // namespace mezo
