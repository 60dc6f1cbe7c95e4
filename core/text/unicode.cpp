#include "core/text/unicode.h"

#include <algorithm>
#include <span>

#include "core/text/unicode_tables.h"

namespace mezo {
namespace {

namespace tables = unicode_tables;

// The run that holds c, or null.
template <class Run>
const Run* find_run(std::span<const Run> runs, char32_t c) {
  const auto after =
      std::upper_bound(runs.begin(), runs.end(), c,
                       [](char32_t point, const Run& run) { return point < run.first; });
  if (after == runs.begin()) return nullptr;
  const Run& run = *(after - 1);
  return c <= run.last ? &run : nullptr;
}

char32_t map_case(std::span<const tables::CaseRun> runs, char32_t c) {
  const auto* run = find_run(runs, c);
  if (!run || (c - run->first) % run->step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int64_t>(c) + run->delta);
}

}  // namespace

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return find_run(std::span(tables::letters, tables::letters_count), c) != nullptr;
}

bool is_number(char32_t c) {
  return find_run(std::span(tables::numbers, tables::numbers_count), c) != nullptr;
}

bool is_space(char32_t c) {
  return find_run(std::span(tables::spaces, tables::spaces_count), c) != nullptr;
}

bool is_digit_piece(char32_t c) {
  return find_run(std::span(tables::digits, tables::digits_count), c) != nullptr;
}

char32_t to_lower(char32_t c) {
  return map_case(std::span(tables::lower_case, tables::lower_case_count), c);
}

char32_t to_upper(char32_t c) {
  return map_case(std::span(tables::upper_case, tables::upper_case_count), c);
}

}  // namespace mezo
