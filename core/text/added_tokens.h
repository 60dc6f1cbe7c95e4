#pragma once
// Finds added tokens in a text: leftmost first, the longest of those that begin at one place. A
// trie over the bytes of their contents; where no token begins, a text costs one table look-up a
// byte.

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace mezo {

// A stretch of text, or the token found there (id >= 0).
struct TextPart {
  std::string_view text;
  std::int32_t id = -1;
};

class AddedTokens {
 public:
  void add(const AddedToken& token, std::int32_t id);  // the last one with the same content counts

  // Cuts `text` at the tokens found and appends the parts. A token's part includes the white space
  // that its lstrip and rstrip take along, except for what the token before it has taken.
  void split(std::string_view text, std::vector<TextPart>& parts) const;

 private:
  struct Entry {
    std::int32_t id;
    std::size_t length;
    bool lstrip, rstrip;
  };
  const Entry* longest_at(std::string_view text, std::size_t at) const;

  std::vector<Entry> entries_;
  std::array<bool, 256> begins_{};                          // does a token begin with this byte
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // (node, byte) -> node
  std::vector<std::int32_t> ends_{-1};                      // entry that ends at a node, or -1
};

}  // namespace mezo
