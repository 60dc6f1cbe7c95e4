#pragma once
// Whether the components that a plugin declares can be used: read as data, after the handshake and
// before anything of the plugin runs. Used by the loader.

#include <optional>
#include <string>
#include <string_view>

#include "core/api.h"
#include "core/plugin/descriptor.h"

namespace mezo {

// "model", "peft" or "objective": the word that messages and listings use.
MEZO_API std::string_view kind_name(mezo_kind kind);

// Everything that its author has to mend, in one text. Nothing if all is in order.
std::optional<std::string> contents_problem(const mezo_plugin& plugin);

}  // namespace mezo
