#pragma once
// The generated data behind core/text/unicode_forms.h, sorted by code point.

#include <cstddef>
#include <cstdint>

namespace mezo::unicode_tables {

// What a code point becomes in full: `count` code points from `begin` of the parts.
struct Decomposition {
  char32_t whole;
  std::uint32_t begin, count;
};

struct CombiningRun {
  char32_t first, last;
  std::uint8_t combining_class;
};

struct Composition {
  char32_t first, second, whole;
};

extern const Decomposition canonical[], compatible[];  // compatible: where the two differ
extern const char32_t canonical_parts[], compatible_parts[];
extern const CombiningRun combining_classes[];
extern const Composition compositions[];
extern const std::size_t canonical_count, compatible_count, canonical_parts_count,
    compatible_parts_count, combining_classes_count, compositions_count;

}  // namespace mezo::unicode_tables
