#pragma once
// Parameter tables themselves: are they sound, and what do they say. Plugins bring tables from
// outside, so the loader checks one before it is used; `mezo plugins ID` prints it.

#include <span>
#include <string>

#include "core/api.h"
#include "core/config/parameter.h"

namespace mezo {

// The first thing wrong with a table, such as "rank: the default '0' does not pass: ...", or "".
// Names are unique and in snake_case, each row has a type and a line of doc, ranges and choices
// stand only where they mean something, and each default passes its own row. Runs on tables of
// unknown origin; only the pointers themselves are trusted.
MEZO_API std::string check_table(std::span<const mezo_parameter> table);

// One aligned line a setting under a heading: name, type, default, range or choices, unit, doc.
// Ends with a line feed.
MEZO_API std::string describe(std::span<const mezo_parameter> table);

}  // namespace mezo
