#pragma once
// The generated data behind core/text/unicode.h: sorted ranges of code points. They are carried
// here, not taken from a regular-expression library, because libraries of different ages disagree
// on some ten thousand code points and a token id must not depend on the machine.

#include <cstddef>
#include <cstdint>

namespace mezo::unicode_tables {

struct Range {
  std::uint32_t first, last;
};

// Every `step`-th code point of first..last maps to itself + delta.
struct CaseRun {
  std::uint32_t first, last;
  std::uint32_t step;
  std::int32_t delta;
};

extern const Range letters[], numbers[], spaces[], digits[];
extern const std::size_t letters_count, numbers_count, spaces_count, digits_count;
extern const CaseRun lower_case[], upper_case[];
extern const std::size_t lower_case_count, upper_case_count;

}  // namespace mezo::unicode_tables
