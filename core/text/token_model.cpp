#include "core/text/token_model.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text/byte_pairs.h"
#include "core/text/unigram.h"
#include "core/text/word_piece.h"

namespace mezo {

std::unique_ptr<const TokenModel> make_token_model(const TokenizerSpec& spec,
                                                   const Vocabulary& vocabulary, bool byte_level) {
  if (byte_level && spec.model != TokenizerModel::bpe)
    throw ModelError(
        fmt::format("[tokenizer] {}: expected ByteLevel before a BPE model only, got another model",
                    spec.source));
  if (spec.model == TokenizerModel::word_piece)
    return std::make_unique<WordPiece>(spec, vocabulary);
  if (spec.model == TokenizerModel::unigram) return std::make_unique<Unigram>(spec, vocabulary);
  return std::make_unique<BytePairs>(spec, vocabulary, byte_level);
}

}  // namespace mezo
