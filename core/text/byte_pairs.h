#pragma once
// Byte-pair encoding (Sennrich et al. 2016) of one piece: the vocabulary and the ranked merges, on
// bytes in GPT-2's alphabet or on characters. The best-ranked pair is joined first, the leftmost of
// equals before the others, with a queue over a linked list: n log n in the length of the piece.

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/text/token_model.h"

namespace mezo {

class BytePairs : public TokenModel {
 public:
  // Throws ModelError where a merge names a token that is not in the vocabulary, and where the
  // unknown token is needed and not there.
  BytePairs(const TokenizerSpec& spec, const Vocabulary& vocabulary, bool byte_level);

  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const override;

 private:
  struct Merge {
    std::uint32_t rank;
    std::int32_t id;
  };
  struct Symbol {
    std::int32_t id;
    std::int64_t previous, next;  // -1 at the ends
  };
  struct Candidate {
    std::uint32_t rank;
    std::int32_t id;
    std::int64_t at;
    bool operator<(const Candidate& other) const;
  };
  class Word;  // symbols in the making

  void find_bytes(const TokenizerSpec& spec);
  void add_merge(const TokenizerSpec& spec, std::size_t number);
  std::vector<Symbol> symbols_of_bytes(std::string_view piece) const;
  std::vector<Symbol> symbols_of_characters(std::string_view piece) const;
  bool add_as_bytes(std::string_view character, Word& word) const;
  void join(std::vector<Symbol>& symbols) const;
  const Merge* merge_at(const std::vector<Symbol>& symbols, std::int64_t at) const;

  const Vocabulary& vocabulary_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // by the two ids
  std::array<std::int32_t, 256> byte_ids_;           // -1 for a byte that the vocabulary lacks
  std::int32_t unknown_ = -1;
  bool byte_level_, byte_fallback_, fuse_unknown_, ignore_merges_;
};

}  // namespace mezo
