#pragma once
// The two pre-tokenizers that byte-level models here use. Merging never crosses the pieces they
// cut. Both read valid UTF-8 and take time linear in the piece. Used by the tokenizer only.

#include <cstddef>
#include <string_view>

namespace mezo {

// The length in bytes of the first piece of a text that is not empty, as GPT-2's expression
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// cuts it. It looks ahead but never back, so a text is cut by taking piece after piece.
std::size_t gpt2_piece(std::string_view text);

// The same for Digits(individual_digits): a numeric character alone, or all up to the next one.
std::size_t digits_piece(std::string_view text);

}  // namespace mezo
