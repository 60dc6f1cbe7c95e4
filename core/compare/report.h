#pragma once
// A comparison's table, for people.

#include <string>

#include "core/compare/cell.h"

namespace mezo {

// A row for each choice of the axes but those of tasks and seeds, a column for each task, and what
// the row's runs cost; lines with their ends. `metric`: "" for each task's own.
std::string table_of(const Comparison& comparison, const std::string& metric, std::size_t width);

}  // namespace mezo
