#pragma once
// Classes and simple case mappings of code points, for the pre-tokenizers and the template
// modifiers. A look-up is a binary search in at most 700 ranges; ASCII goes the same way and is
// cheap enough.

namespace mezo {

bool is_letter(char32_t c);  // \p{L} of Unicode 16, as the tokenizers package has it
bool is_number(char32_t c);  // \p{N} of the same: decimal digits, letter numbers, fractions …
bool is_space(char32_t c);   // White_Space

// What the package's Digits pre-tokenizer cuts out: \p{N} of a slightly younger Unicode.
bool is_digit_piece(char32_t c);

// One code point to one code point; what changes its length (such as sharp s) stays as it is.
char32_t to_lower(char32_t c);
char32_t to_upper(char32_t c);

}  // namespace mezo
