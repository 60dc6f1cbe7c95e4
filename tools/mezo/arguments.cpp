#include "tools/mezo/arguments.h"

#include <algorithm>
#include <filesystem>

namespace mezo {

std::vector<Argument> numbered(const std::vector<std::string>& overrides, int argc, char** argv,
                               int before) {
  static const std::vector<std::string> with_value = {
      "--plugin-path", "--step", "--format", "--dtype", "--prompt",
      "--file",        "--show", "--host",   "--port",  "--metric"};
  std::vector<Argument> list;
  std::size_t next = 0;
  int positional = 0;
  for (int at = 1; at < argc && next < overrides.size(); ++at) {
    const std::string text = argv[at];
    if (std::ranges::find(with_value, text) != with_value.end())
      ++at;
    else if (!text.starts_with("-") && ++positional > before && text == overrides[next])
      list.push_back({at, overrides[next++]});
  }
  for (; next < overrides.size(); ++next) list.push_back({argc - 1, overrides[next]});
  return list;
}

std::vector<std::string> task_folders() {
  std::error_code none;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", none);
  return {(executable.parent_path().parent_path() / "share/mezo/tasks").string()};
}

}  // namespace mezo
