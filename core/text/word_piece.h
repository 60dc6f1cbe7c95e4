#pragma once
// WordPiece (Wu et al. 2016, as BERT has it): of each word the longest token that it begins with,
// then of the rest the longest that goes on, marked "##". A word that cannot be made so, or is too
// long, is unknown as a whole.

#include "core/text/token_model.h"

namespace mezo {

class WordPiece : public TokenModel {
 public:
  // Throws ModelError where the unknown token is not in the vocabulary.
  WordPiece(const TokenizerSpec& spec, const Vocabulary& vocabulary);

  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const override;

 private:
  std::optional<std::int32_t> longest_at(std::string_view word, std::size_t at,
                                         std::size_t& end) const;

  const Vocabulary& vocabulary_;
  std::string prefix_;
  std::size_t longest_word_;       // in characters
  std::size_t longest_token_ = 0;  // in bytes
  std::int32_t unknown_;
};

}  // namespace mezo
