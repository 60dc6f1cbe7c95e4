#pragma once
// Reads one value by its row of a parameter table: the place where text gets a type. Private to
// core/config; check() and check_table() are built on it, so that a default passes exactly what a
// user's value has to pass.

#include <optional>
#include <string>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/parameter.h"
#include "core/config/parameters.h"
#include "core/config/tree.h"

namespace mezo {

// `name` is what messages call the setting ("optimizer.epsilon"). nullopt after an error.
std::optional<Parameters::Value> read_setting(const mezo_parameter& row, const std::string& name,
                                              const Value& value, Diagnostics& diagnostics);

// The row's default, read the same way; a relative path in it starts at the working folder. nullopt
// without an error for a required setting.
std::optional<Parameters::Value> read_default(const mezo_parameter& row, Diagnostics& diagnostics);

// The row's choices; empty where it has none.
std::vector<std::string> choices_of(const mezo_parameter& row);

}  // namespace mezo
