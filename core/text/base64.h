#pragma once
// Base64 (RFC 4648) with padding, as tokenizer.json has bytes in it.

#include <optional>
#include <string>
#include <string_view>

namespace mezo {

std::optional<std::string> from_base64(std::string_view text);  // none where it is not base64
std::string to_base64(std::string_view bytes);

}  // namespace mezo
