#pragma once
// One shared library becomes a plugin, or a reason why not. A library that was opened is never
// closed: torch keeps pointers into it. Used by the registry; most code wants that one.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/plugin/descriptor.h"
#include "core/plugin/host_tags.h"

namespace mezo {

struct Plugin {
  std::filesystem::path path;
  const mezo_plugin* descriptor = nullptr;  // valid until the process ends
  std::vector<std::string> warnings;
};

// Exactly one of the two is set.
struct LoadResult {
  std::shared_ptr<const Plugin> plugin;
  std::string reason;  // without the path; a sentence that ends with what to do
};

// Opens the library (RTLD_LOCAL, RTLD_NOW), which runs its static initialisers, and calls its entry
// point. Runs no factory. Throws nothing for a library that is no good.
MEZO_API LoadResult load_plugin(const std::filesystem::path& path,
                                const HostTags& host = host_tags());

}  // namespace mezo
