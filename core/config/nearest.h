#pragma once
// The word that was probably meant, for "did you mean" in messages.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"

namespace mezo {

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours) from `word`, if
// they are at most about a third of its length. The first of equals.
MEZO_API std::optional<std::string> nearest(std::string_view word,
                                            const std::vector<std::string>& candidates);

}  // namespace mezo
