#pragma once
// Reads a configuration file together with the files that it extends.
//
//   extends: base.yaml        # a path relative to this file, only at the top level
//
// The file's own settings are laid over those of the file it extends (core/config/merge.h), which
// may extend another one.

#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/config/diagnostics.h"
#include "core/config/merge.h"
#include "core/config/tree.h"

namespace mezo {

struct Config {
  Value tree;                      // without `extends`
  std::vector<std::string> notes;  // lines for the user: settings that a change of type dropped
};

inline constexpr int max_extends = 16;

// nullopt where there is nothing to go on with; errors are in `diagnostics`. `path` is shown in
// messages as it is given.
MEZO_API std::optional<Config> read_config(const std::string& path, const HostSettings& host,
                                           Diagnostics& diagnostics);

}  // namespace mezo
