#pragma once
// What finds the tokens of a piece of text: byte pairs, WordPiece or Unigram. Made by Tokenizer
// from a spec; immutable.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/text/tokenizer_spec.h"
#include "core/text/vocabulary.h"

namespace mezo {

class TokenModel {
 public:
  virtual ~TokenModel() = default;

  // Appends the ids of one piece, which is not empty.
  virtual void encode(std::string_view piece, std::vector<std::int32_t>& ids) const = 0;
};

// `vocabulary` is that of the spec and stays alive. `byte_level`: pieces are bytes, which the
// vocabulary spells in GPT-2's alphabet. Throws ModelError where the spec's parts do not fit.
std::unique_ptr<const TokenModel> make_token_model(const TokenizerSpec& spec,
                                                   const Vocabulary& vocabulary, bool byte_level);

}  // namespace mezo
