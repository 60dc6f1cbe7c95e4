#pragma once
// What the command line said, of any verb; what a verb does not take keeps its default.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/overrides.h"
#include "core/record/run_folder.h"

namespace mezo {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::vector<std::string> plugin_path;
  std::string component;
  bool overwrite = false, resume = false;
  std::optional<std::int64_t> step, show;
  bool verify = false;
  std::string path, format = "hf", dtype = "auto";
  std::vector<std::string> prompts;
  std::string file;
  bool text = false;
  std::vector<std::string> runs;
  std::string metric;
  bool csv = false, json = false, check = false;
  std::string host = "127.0.0.1";
  int port = 8080;

  Earlier earlier() const {
    return resume ? Earlier::resume : overwrite ? Earlier::overwrite : Earlier::keep;
  }
};

// Overrides are reported by their place on the command line: `mezo run CONFIG key=value` has
// key=value as argument 3. The parser has already split off the options; their values must not be
// taken for overrides of the same text. `before` is how many words come first: the verb, CONFIG.
std::vector<Argument> numbered(const std::vector<std::string>& overrides, int argc, char** argv,
                               int before = 2);

// Tasks lie in share/mezo/tasks beside the folder of the executable, in a build as in an
// installation.
std::vector<std::string> task_folders();

}  // namespace mezo
