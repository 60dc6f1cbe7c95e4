#pragma once
// Where the plugins of these tests lie.

#include <filesystem>
#include <string>

#include "core/plugin/registry.h"

namespace mezo::test {

inline std::filesystem::path plugin_folder() { return MEZO_TEST_PLUGINS; }

inline std::filesystem::path plugin_file(const std::string& name) {
  return plugin_folder() / ("mezo_" + name + ".so");
}

inline PluginSearch only(const std::filesystem::path& folder) {
  return {{}, {}, {{folder, "--plugin-path", true}}};
}

inline PluginSearch named(const std::vector<std::string>& names) {
  PluginSearch search;
  for (const std::string& name : names) search.named.push_back(plugin_file(name).string());
  return search;
}

}  // namespace mezo::test
