#pragma once
// The text of `mezo plugins`: what a registry found, what is broken and why, where it looked.

#include <string>

#include "core/api.h"
#include "core/plugin/registry.h"

namespace mezo {

// A row for each component (kind, id, summary, plugin and version, file), then the warnings, the
// broken plugins with their reasons, and the folders. Ends with a newline.
MEZO_API std::string list_components(const Registry& registry);

}  // namespace mezo
