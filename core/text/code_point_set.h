#pragma once
// A set of code points, as the classes of an expression are: built once from ranges, then asked
// often. 8 KiB each, which makes a question about anything but the supplementary planes one load.

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/text/unicode.h"

namespace mezo {

class CodePointSet {
 public:
  CodePointSet() = default;
  explicit CodePointSet(std::vector<CodePointRange> ranges);  // in any order, overlapping or not

  void add(char32_t first, char32_t last);
  void add(const CodePointSet& other);
  CodePointSet complement() const;

  bool operator==(const CodePointSet&) const = default;

  const std::vector<CodePointRange>& ranges() const { return ranges_; }  // sorted and apart

 private:
  void sort();
  std::vector<CodePointRange> ranges_;
};

// The same for matching.
class CodePointTable {
 public:
  explicit CodePointTable(const CodePointSet& set);

  // The bytes of the character at text[at] if it is in the set, else 0. `at` is inside the text.
  std::size_t match(std::string_view text, std::size_t at) const {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) return low_[byte / 64] >> byte % 64 & 1;
    return match_long(text, at);
  }

 private:
  std::size_t match_long(std::string_view text, std::size_t at) const;

  std::array<std::uint64_t, 1024> low_{};  // a bit a code point up to U+FFFF
  std::vector<CodePointRange> high_;
};

}  // namespace mezo
