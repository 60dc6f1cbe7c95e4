#pragma once
// Byte-pair encoding (Sennrich et al. 2016) of one piece: the vocabulary and the ranked merges.
// The best-ranked pair is joined first, the leftmost of equals before the others, with a queue over
// a linked list: n log n in the length of the piece. Used by Tokenizer only.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/tokenizer_spec.h"

namespace mezo {

class BytePairs {
 public:
  // Throws ModelError where a merge names a token that is not in the vocabulary.
  explicit BytePairs(const TokenizerSpec& spec);

  // Appends the ids of one piece of bytes.
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const;

  std::optional<std::int32_t> token_id(std::string_view spelling) const;
  std::size_t size() const { return vocabulary_.size(); }

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

  void add_merge(const TokenizerSpec& spec, std::size_t number);
  std::vector<Symbol> symbols(std::string_view piece) const;
  void join(std::vector<Symbol>& symbols) const;
  const Merge* merge_at(const std::vector<Symbol>& symbols, std::int64_t at) const;

  std::unordered_map<std::string, std::int32_t> vocabulary_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // by the two ids
  std::array<std::int32_t, 256> byte_ids_;           // -1 for a byte that the vocabulary lacks
  std::int32_t unknown_ = -1;
  bool fuse_unknown_ = false, ignore_merges_ = false;
};

}  // namespace mezo
