#include "core/text/unicode_forms.h"

#include <algorithm>
#include <span>
#include <vector>

#include "core/text/unicode_form_tables.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

namespace tables = unicode_tables;

// Hangul syllables are made of their parts by arithmetic (the Unicode standard, section 3.12).
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
constexpr char32_t kLeadCount = 19, kVowelCount = 21, kTailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTailCount;

struct Character {
  char32_t value;
  std::uint8_t combining_class;
};

std::uint8_t combining_class_of(char32_t c) {
  if (c < 0x300) return 0;
  const std::span runs(tables::combining_classes, tables::combining_classes_count);
  const auto after = std::ranges::upper_bound(runs, c, {}, &tables::CombiningRun::first);
  if (after == runs.begin() || c > (after - 1)->last) return 0;
  return (after - 1)->combining_class;
}

std::span<const char32_t> parts_of(char32_t c, std::span<const tables::Decomposition> all,
                                   const char32_t* parts) {
  const auto found = std::ranges::lower_bound(all, c, {}, &tables::Decomposition::whole);
  if (found == all.end() || found->whole != c) return {};
  return {parts + found->begin, found->count};
}

class Decomposer {
 public:
  explicit Decomposer(bool compatible) : compatible_(compatible) {}

  std::vector<Character> of(std::string_view text) {
    out_.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const CodePoint c = code_point_at(text, at);
      add(c.value);
      at += c.length;
    }
    finish_run();
    return std::move(out_);
  }

 private:
  void add(char32_t c) {
    if (c < 0x80) return put(c);
    if (c >= kSyllables && c < kSyllables + kSyllableCount) return add_syllable(c - kSyllables);
    std::span<const char32_t> parts;
    if (compatible_)
      parts = parts_of(c, {tables::compatible, tables::compatible_count}, tables::compatible_parts);
    if (parts.empty())
      parts = parts_of(c, {tables::canonical, tables::canonical_count}, tables::canonical_parts);
    if (parts.empty()) parts = {&c, 1};
    for (const char32_t part : parts) put(part);
  }

  void add_syllable(char32_t index) {
    put(kLeads + index / (kVowelCount * kTailCount));
    put(kVowels + index / kTailCount % kVowelCount);
    if (index % kTailCount) put(kTails + index % kTailCount);
  }

  // Marks behind a starter stand in the order of their classes.
  void put(char32_t c) {
    const std::uint8_t own = combining_class_of(c);
    if (own == 0) {
      finish_run();
      run_begin_ = out_.size() + 1;
    } else if (out_.size() > run_begin_) {
      in_order_ &= out_.back().combining_class <= own;
    }
    out_.push_back({c, own});
  }

  void finish_run() {
    if (in_order_) return;
    std::stable_sort(out_.begin() + static_cast<std::ptrdiff_t>(run_begin_), out_.end(),
                     [](const Character& a, const Character& b) {
                       return a.combining_class < b.combining_class;
                     });
    in_order_ = true;
  }

  bool compatible_;
  bool in_order_ = true;  // the run of marks that begins at run_begin_
  std::size_t run_begin_ = 0;
  std::vector<Character> out_;
};

char32_t composed(char32_t first, char32_t second) {
  if (first >= kLeads && first < kLeads + kLeadCount && second >= kVowels &&
      second < kVowels + kVowelCount)
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTailCount;
  const bool open = first >= kSyllables && first < kSyllables + kSyllableCount &&
                    (first - kSyllables) % kTailCount == 0;
  if (open && second > kTails && second < kTails + kTailCount) return first + (second - kTails);
  const std::span all(tables::compositions, tables::compositions_count);
  const auto found = std::ranges::lower_bound(
      all, std::pair(first, second), {},
      [](const tables::Composition& one) { return std::pair(one.first, one.second); });
  return found != all.end() && found->first == first && found->second == second ? found->whole : 0;
}

// Each mark that nothing of its class or above separates from its starter may join it.
void compose(std::vector<Character>& text) {
  std::ptrdiff_t starter = -1;
  std::size_t end = 0;
  int last_class = -1;  // of what stands between the starter and here
  for (const Character c : std::vector<Character>(text)) {
    const bool open = starter >= 0 && (last_class < c.combining_class || last_class < 0);
    if (const char32_t whole = open ? composed(text[starter].value, c.value) : 0) {
      text[starter].value = whole;
      continue;
    }
    if (c.combining_class == 0) {
      starter = static_cast<std::ptrdiff_t>(end);
      last_class = -1;
    } else {
      last_class = c.combining_class;
    }
    text[end++] = c;
  }
  text.resize(end);
}

bool is_composed_already(std::string_view text) {
  // U+0300 is CC 80: what begins below stands for code points that NFC leaves alone.
  return std::ranges::all_of(text,
                             [](char byte) { return static_cast<unsigned char>(byte) < 0xCC; });
}

}  // namespace

std::string to_normal_form(std::string_view text, NormalForm form) {
  if (form == NormalForm::nfc && is_composed_already(text)) return std::string(text);
  const bool compatible = form == NormalForm::nfkc || form == NormalForm::nfkd;
  std::vector<Character> characters = Decomposer(compatible).of(text);
  if (form == NormalForm::nfc || form == NormalForm::nfkc) compose(characters);
  std::string out;
  out.reserve(text.size());
  for (const Character& c : characters) append_utf8(out, c.value);
  return out;
}

}  // namespace mezo
