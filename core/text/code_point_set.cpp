#include "core/text/code_point_set.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace mezo {
namespace {

constexpr char32_t kLast = 0x10FFFF;

}  // namespace

CodePointSet::CodePointSet(std::vector<CodePointRange> ranges) : ranges_(std::move(ranges)) {
  sort();
}

void CodePointSet::add(char32_t first, char32_t last) {
  ranges_.push_back({first, last});
  sort();
}

void CodePointSet::add(const CodePointSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  sort();
}

void CodePointSet::sort() {
  std::ranges::sort(ranges_, {}, &CodePointRange::first);
  std::vector<CodePointRange> apart;
  for (const CodePointRange& range : ranges_) {
    if (!apart.empty() && range.first <= apart.back().last + 1) {
      apart.back().last = std::max(apart.back().last, range.last);
    } else {
      apart.push_back(range);
    }
  }
  ranges_ = std::move(apart);
}

CodePointSet CodePointSet::complement() const {
  CodePointSet others;
  char32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (next < range.first) others.ranges_.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) others.ranges_.push_back({next, kLast});
  return others;
}

CodePointTable::CodePointTable(const CodePointSet& set) {
  for (const CodePointRange& range : set.ranges()) {
    for (char32_t c = range.first; c <= std::min<char32_t>(range.last, 0xFFFF); ++c)
      low_[c / 64] |= std::uint64_t{1} << c % 64;
    if (range.last > 0xFFFF)
      high_.push_back({std::max<char32_t>(range.first, 0x10000), range.last});
  }
}

std::size_t CodePointTable::match_long(std::string_view text, std::size_t at) const {
  const CodePoint c = code_point_at(text, at);
  if (c.value <= 0xFFFF) return low_[c.value / 64] >> c.value % 64 & 1 ? c.length : 0;
  const auto after = std::ranges::upper_bound(high_, c.value, {}, &CodePointRange::first);
  return after != high_.begin() && c.value <= (after - 1)->last ? c.length : 0;
}

}  // namespace mezo
