#include "core/io/quote.h"

#include <fmt/format.h>

namespace mezo {

std::string quote(std::string_view bytes) {
  constexpr size_t kShown = 120;
  std::string out = "\"";
  for (const char c : bytes.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
    out += plain ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  out += '"';
  if (bytes.size() > kShown) out += fmt::format("… ({} bytes)", bytes.size());
  return out;
}

}  // namespace mezo
