#pragma once
// Whether a plugin fits this host, decided from its descriptor alone. Each check guards the next: a
// member is read only once the ones before it say that it can be. Used by the loader.

#include <optional>
#include <string>
#include <vector>

#include "core/plugin/descriptor.h"
#include "core/plugin/host_tags.h"

namespace mezo {

// Why the host refuses the plugin: what differs, both values, and what to do. Nothing if it fits.
std::optional<std::string> handshake_problem(const mezo_plugin& plugin, const HostTags& host);

// What differs but may work. Only for a plugin without a problem.
std::vector<std::string> handshake_warnings(const mezo_plugin& plugin, const HostTags& host);

}  // namespace mezo
