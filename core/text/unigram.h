#pragma once
// The unigram model (Kudo 2018): of all ways to cut a text into tokens the one with the highest sum
// of scores, found by Viterbi's algorithm in time linear in the text. Characters that no token
// covers are unknown; a run of them is one token, or bytes.

#include <array>

#include "core/text/token_model.h"

namespace mezo {

class Unigram : public TokenModel {
 public:
  // Throws ModelError where ids and scores do not fit, and for an unknown token that is not in the
  // vocabulary.
  Unigram(const TokenizerSpec& spec, const Vocabulary& vocabulary);

  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const override;

 private:
  // The best way to a place in the text: where its last token begins, and which that is.
  struct Way {
    double score = 0;
    std::ptrdiff_t from = -1;  // none yet
    std::int32_t id = -1;
  };
  struct Node {
    std::uint32_t first_edge = 0, edges = 0;
    std::int32_t id = -1;  // of the token that ends here
  };
  struct Edge {
    unsigned char byte;
    std::uint32_t node;
  };

  void grow(const std::vector<std::pair<std::string, std::int32_t>>& sorted);
  const Node* child(const Node& node, unsigned char byte) const;
  std::vector<Way> ways_through(std::string_view piece) const;
  void put(std::string_view token, std::vector<std::int32_t>& ids) const;

  const Vocabulary& vocabulary_;
  std::vector<double> scores_;  // by id
  std::vector<Node> nodes_;     // a tree of bytes
  std::vector<Edge> edges_;
  std::array<std::int32_t, 256> byte_ids_;
  std::int32_t unknown_ = -1;
  double unknown_score_ = 0;
  bool byte_fallback_;
};

}  // namespace mezo
