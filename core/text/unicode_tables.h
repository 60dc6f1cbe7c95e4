#pragma once
// The generated data behind core/text/unicode.h: sorted ranges of code points. They are carried
// here, not taken from a regular-expression library, because libraries of different ages disagree
// on some ten thousand code points and a token id must not depend on the machine.

#include <cstddef>
#include <cstdint>

#include "core/text/unicode.h"

namespace mezo::unicode_tables {

struct Range {
  std::uint32_t first, last;
};

struct CategoryRun {
  std::uint32_t first, last;
  Category category;
};

// Every `step`-th code point of first..last maps to itself + delta.
struct CaseRun {
  std::uint32_t first, last;
  std::uint32_t step;
  std::int32_t delta;
};

extern const CategoryRun categories[];  // all but Cn
extern const Range spaces[], digits[], punctuation[], bert_removed[], bert_accents[], accents[],
    grapheme_extenders[], grapheme_prefixes[], grapheme_controls[];
extern const CaseRun lower_case[], upper_case[], normalizer_lower_case[];
extern const std::size_t categories_count, spaces_count, digits_count, punctuation_count,
    bert_removed_count, bert_accents_count, accents_count, grapheme_extenders_count,
    grapheme_prefixes_count, grapheme_controls_count, lower_case_count, upper_case_count,
    normalizer_lower_case_count;

}  // namespace mezo::unicode_tables
