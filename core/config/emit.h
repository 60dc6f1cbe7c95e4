#pragma once
// Writes a tree back as YAML, for the config.yaml of a run folder. Deterministic: the same tree
// gives the same bytes. Reading the text again gives the same tree (kinds, texts, keys and order);
// text that any YAML reader could take for something else is quoted.

#include <span>
#include <string>

#include "core/api.h"
#include "core/config/parameter.h"
#include "core/config/parameters.h"
#include "core/config/tree.h"

namespace mezo {

// Maps one key a line, everything inside a list on one line. Throws ConfigError for text that is
// not UTF-8, which YAML cannot hold (a path from the file system may have it).
MEZO_API std::string to_yaml(const Value& value);

// The checked values of a block as a map in the order of its table. Numbers are spelt as the user
// wrote them.
MEZO_API Value to_tree(const Parameters& parameters, std::span<const mezo_parameter> table);

}  // namespace mezo
