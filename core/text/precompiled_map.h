#pragma once
// SentencePiece's precompiled map of characters to what they are normalized to: a double array of
// keys (Aoe 1989, as Darts-clone lays it out) and the texts that it leads to. It is asked for a
// grapheme where that is shorter than six bytes, else for each character; the shortest key that the
// text begins with counts for all of it. Used by Normalizer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mezo {

class PrecompiledMap {
 public:
  // `map`: the size of the array in bytes (four, little-endian), the array, the texts, each ended
  // by a zero. Throws ModelError where it is not that; `source` is the file.
  PrecompiledMap(std::string_view map, const std::string& source);

  std::string normalized(std::string_view text) const;  // valid UTF-8

 private:
  std::optional<std::string_view> text_for(std::string_view key) const;

  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace mezo
