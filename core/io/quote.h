#pragma once
// Shows bytes from an untrusted file in a message. Used by the loaders, whose tensor names and keys
// need not be UTF-8, printable or short; a message must stay one readable line all the same.

#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

// `bytes` in double quotes; control characters, quotes, backslashes and whatever is not ASCII
// become \xNN, and what is longer than 120 bytes is cut with its length stated.
MEZO_API std::string quote(std::string_view bytes);

}  // namespace mezo
