#include "core/config/nearest.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace mezo {
namespace {

constexpr std::size_t longest = 64;

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::size_t distance(std::string_view a, std::string_view b) {
  // Three rows of the usual matrix: a swap looks back two.
  std::array<std::array<std::size_t, longest + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& above2 = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], above2[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

bool abbreviates(std::string_view word, std::string_view candidate) {
  if (word.size() < 2) return false;
  std::string initials;
  for (std::size_t i = 0; i < candidate.size(); ++i)
    if (i == 0 || candidate[i - 1] == '_') initials += candidate[i];
  if (initials == word) return true;
  if (candidate.size() <= word.size() + 1) return false;
  return (candidate.starts_with(word) && candidate[word.size()] == '_') ||
         (candidate.ends_with(word) && candidate[candidate.size() - word.size() - 1] == '_');
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > longest) return std::nullopt;
  const std::string wanted = lowered(word);
  std::size_t best = std::min<std::size_t>(3, std::max<std::size_t>(1, word.size() / 3)) + 1;
  const std::string* found = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > longest) continue;
    const std::size_t d = distance(wanted, lowered(candidate));
    // A word of one or two letters is within one letter of anything as short: that is no help.
    if (d < best && d < std::max(wanted.size(), candidate.size())) {
      best = d;
      found = &candidate;
    }
  }
  if (found) return *found;
  for (const std::string& candidate : candidates) {
    if (!abbreviates(wanted, lowered(candidate))) continue;
    if (found) return std::nullopt;
    found = &candidate;
  }
  return found ? std::optional(*found) : std::nullopt;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const auto near = nearest(word, candidates);
  return near ? "; did you mean '" + *near + "'?" : "";
}

}  // namespace mezo
