#pragma once
// Names of parameters and modules as settings give them, for PEFT plugins: "model.layers.*.mlp.*".

#include <string_view>

#include "core/api.h"

namespace mezo {

// Whether the whole of `name` matches a pattern in which * stands for any text, also for none.
MEZO_API bool matches(std::string_view pattern, std::string_view name);

// The same for a module: a pattern without * also matches as the last parts of its name ("q_proj"
// for "model.layers.0.self_attn.q_proj"), as the peft package's target_modules do.
MEZO_API bool matches_module(std::string_view pattern, std::string_view module);

}  // namespace mezo
