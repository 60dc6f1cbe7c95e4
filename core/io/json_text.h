#pragma once
// Strict parsing of JSON from files that others wrote. Used for the safetensors header and the
// shard index: what nlohmann::json lets pass and their formats forbid (a key twice in one object,
// bytes after a NUL) is an error here.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace mezo {

// The value of `text`; throws ModelError whose message begins with `place` (operation and file)
// when it is not valid.
nlohmann::json parse_json(std::string_view text, const std::string& place);

}  // namespace mezo
