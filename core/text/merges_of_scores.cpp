#include "core/text/merges_of_scores.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "core/text/utf8.h"

namespace mezo {
namespace {

struct Merge {
  std::string_view left, right;
  double score;
  std::size_t left_length, right_length;  // in characters

  auto order() const {
    return std::tuple(-score, -std::ptrdiff_t(left_length), -std::ptrdiff_t(right_length));
  }
};

using Places = std::unordered_map<std::string_view, std::size_t>;

// The ways to make one token, by the places of their parts in the list.
void add_ways(const ScoredToken& whole, const Places& places, std::vector<Merge>& merges) {
  const std::string_view token = whole.token;
  std::vector<std::size_t> ends;  // of characters
  for (std::size_t at = 0; at < token.size();)
    ends.push_back(at += code_point_at(token, at).length);
  std::vector<std::tuple<std::size_t, std::size_t, Merge>> ways;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    const std::string_view left = token.substr(0, ends[i]), right = token.substr(ends[i]);
    const auto first = places.find(left), second = places.find(right);
    if (first == places.end() || second == places.end()) continue;
    ways.push_back(
        {first->second, second->second, {left, right, whole.score, i + 1, ends.size() - i - 1}});
  }
  std::ranges::sort(ways, {},
                    [](const auto& way) { return std::pair(std::get<0>(way), std::get<1>(way)); });
  for (const auto& [first, second, merge] : ways) merges.push_back(merge);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> merges_of_scores(
    const std::vector<ScoredToken>& tokens) {
  Places places;
  for (std::size_t i = 0; i < tokens.size(); ++i) places[tokens[i].token] = i;
  std::vector<Merge> merges;
  for (const ScoredToken& token : tokens) add_ways(token, places, merges);
  std::ranges::stable_sort(merges, {}, &Merge::order);
  std::vector<std::pair<std::string, std::string>> out;
  for (const Merge& merge : merges) out.emplace_back(merge.left, merge.right);
  return out;
}

}  // namespace mezo
