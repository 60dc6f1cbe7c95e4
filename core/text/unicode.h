#pragma once
// Classes and simple case mappings of code points, for the pre-tokenizers, the normalizers and the
// template modifiers. Each is a binary search in at most 3,500 ranges, or a look-up for ASCII.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mezo {

// The general categories of Unicode 16, under its own names, as the package's expressions have
// them. Cs (surrogates) is none: UTF-8 has no such code point.
enum class Category : std::uint8_t {
  // clang-format off
  Lu, Ll, Lt, Lm, Lo, Mn, Mc, Me, Nd, Nl, No, Pc, Pd, Ps, Pe, Pi, Pf, Po, Sm, Sc, Sk, So, Zs, Zl,
  Zp, Cc, Cf, Cn, Co
  // clang-format on
};

Category category_of(char32_t c);

// A bit a category: of one ("Lu"), or of all that begin with a letter ("L"); none for other names.
std::optional<std::uint32_t> categories_named(std::string_view name);

struct CodePointRange {
  char32_t first, last;
  bool operator==(const CodePointRange&) const = default;
};
std::vector<CodePointRange> ranges_of(std::uint32_t categories);  // sorted; Cn included if asked
std::vector<CodePointRange> space_ranges();

bool is_letter(char32_t c);  // \p{L}
bool is_number(char32_t c);  // \p{N}: decimal digits, letter numbers, fractions …
bool is_space(char32_t c);   // White_Space

// What the package's Digits pre-tokenizer cuts out: \p{N} of a slightly younger Unicode.
bool is_digit_piece(char32_t c);

// What BERT's pre-tokenizer and Punctuation cut out: ASCII's marks and \p{P} of an older Unicode.
bool is_punctuation(char32_t c);

bool bert_removes(char32_t c);    // BertNormalizer's clean_text: control characters, U+FFFD
bool is_bert_accent(char32_t c);  // what its strip_accents takes away
bool is_accent(char32_t c);       // what the normalizer StripAccents takes away

// What joins the character before it into one grapheme, what joins the one behind it, and what
// joins none, as the normalizer Precompiled cuts a text.
bool is_grapheme_extender(char32_t c);
bool is_grapheme_prefix(char32_t c);
bool is_grapheme_control(char32_t c);

// One code point to one code point; what changes its length (such as sharp s) stays as it is.
char32_t to_lower(char32_t c);
char32_t to_upper(char32_t c);
char32_t normalizer_to_lower(char32_t c);  // of the package's Unicode; U+0130 is the caller's

}  // namespace mezo
