#pragma once
// The byte-level alphabet of GPT-2 (Radford et al. 2019): each of the 256 bytes is spelled with one
// printable character, so that vocabularies and merges are text. "Ġ" spells the space.

#include <string>
#include <string_view>

namespace mezo {

const std::string& byte_spelling(unsigned char byte);
std::string spell_bytes(std::string_view bytes);

// The bytes that a token stands for. A token with a character outside the alphabet stands for
// itself.
std::string spelled_bytes(std::string_view token);

}  // namespace mezo
