#include "core/text/unicode.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/text/unicode_tables.h"

namespace mezo {
namespace {

namespace tables = unicode_tables;

constexpr std::array<std::string_view, 29> names = {
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
    "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co"};

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

bool is_in(std::span<const tables::Range> ranges, char32_t c) { return find_run(ranges, c); }

char32_t map_case(std::span<const tables::CaseRun> runs, char32_t c) {
  const auto* run = find_run(runs, c);
  if (!run || (c - run->first) % run->step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int64_t>(c) + run->delta);
}

std::span<const tables::CategoryRun> categories() {
  return {tables::categories, tables::categories_count};
}

}  // namespace

Category category_of(char32_t c) {
  const auto* run = find_run(categories(), c);
  return run ? run->category : Category::Cn;
}

std::optional<std::uint32_t> categories_named(std::string_view name) {
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name || (name.size() == 1 && names[i][0] == name[0])) mask |= 1u << i;
  return mask ? std::optional(mask) : std::nullopt;
}

std::vector<CodePointRange> ranges_of(std::uint32_t wanted) {
  std::vector<CodePointRange> ranges;
  const auto add = [&](char32_t first, char32_t last) {
    if (!ranges.empty() && ranges.back().last + 1 == first) {
      ranges.back().last = last;
    } else {
      ranges.push_back({first, last});
    }
  };
  const bool unassigned = wanted >> static_cast<int>(Category::Cn) & 1;
  char32_t next = 0;
  for (const auto& run : categories()) {
    if (unassigned && next < run.first) add(next, run.first - 1);
    if (wanted >> static_cast<int>(run.category) & 1) add(run.first, run.last);
    next = run.last + 1;
  }
  if (unassigned && next <= 0x10FFFF) add(next, 0x10FFFF);
  return ranges;
}

std::vector<CodePointRange> space_ranges() {
  std::vector<CodePointRange> ranges;
  for (const auto& range : std::span(tables::spaces, tables::spaces_count))
    ranges.push_back({range.first, range.last});
  return ranges;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return category_of(c) <= Category::Lo;
}

bool is_number(char32_t c) {
  const Category category = category_of(c);
  return category >= Category::Nd && category <= Category::No;
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D);
  return is_in({tables::spaces, tables::spaces_count}, c);
}

bool is_digit_piece(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return is_in({tables::digits, tables::digits_count}, c);
}

bool is_punctuation(char32_t c) {
  return is_in({tables::punctuation, tables::punctuation_count}, c);
}

bool bert_removes(char32_t c) {
  return is_in({tables::bert_removed, tables::bert_removed_count}, c);
}

bool is_bert_accent(char32_t c) {
  return is_in({tables::bert_accents, tables::bert_accents_count}, c);
}

bool is_accent(char32_t c) { return is_in({tables::accents, tables::accents_count}, c); }

bool is_grapheme_extender(char32_t c) {
  if (c < 0x300) return false;
  return is_in({tables::grapheme_extenders, tables::grapheme_extenders_count}, c);
}

bool is_grapheme_prefix(char32_t c) {
  if (c < 0x300) return false;
  return is_in({tables::grapheme_prefixes, tables::grapheme_prefixes_count}, c);
}

bool is_grapheme_control(char32_t c) {
  return is_in({tables::grapheme_controls, tables::grapheme_controls_count}, c);
}

char32_t to_lower(char32_t c) {
  return map_case(std::span(tables::lower_case, tables::lower_case_count), c);
}

char32_t to_upper(char32_t c) {
  return map_case(std::span(tables::upper_case, tables::upper_case_count), c);
}

char32_t normalizer_to_lower(char32_t c) {
  return map_case(std::span(tables::normalizer_lower_case, tables::normalizer_lower_case_count), c);
}

}  // namespace mezo
