#pragma once
// SentencePiece keeps no merges: it joins the pair whose token has the highest score (Kudo and
// Richardson 2018). As a list, best first, those are all ways to make a token of two others.

#include <string>
#include <utility>
#include <vector>

namespace mezo {

struct ScoredToken {
  std::string token;
  double score;
};

// Of tokens of one score those with the longer left part come first, then those with the longer
// right part, then those earlier in the list: as transformers writes such a vocabulary.
std::vector<std::pair<std::string, std::string>> merges_of_scores(
    const std::vector<ScoredToken>& tokens);

}  // namespace mezo
