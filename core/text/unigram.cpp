#include "core/text/unigram.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

constexpr double kUnknownPenalty = 10;  // below the lowest score

}  // namespace

Unigram::Unigram(const TokenizerSpec& spec, const Vocabulary& vocabulary)
    : vocabulary_(vocabulary), byte_fallback_(spec.byte_fallback) {
  if (spec.scores.size() != spec.vocabulary.size() || spec.scores.empty())
    throw ModelError(fmt::format("[tokenizer] {}: expected a score for each of {} tokens, got {}",
                                 spec.source, spec.vocabulary.size(), spec.scores.size()));
  for (std::size_t i = 0; i < spec.vocabulary.size(); ++i)
    if (spec.vocabulary[i].second != static_cast<std::int32_t>(i))
      throw ModelError(
          fmt::format("[tokenizer] {}: expected the tokens of a Unigram in the order "
                      "of their ids, got {} at place {}",
                      spec.source, spec.vocabulary[i].second, i));
  scores_ = spec.scores;
  unknown_score_ = *std::ranges::min_element(scores_) - kUnknownPenalty;
  if (spec.unknown) {
    const auto id = vocabulary.id(*spec.unknown);
    if (!id)
      throw ModelError(
          fmt::format("[tokenizer] {}: the unknown token '{}' is not in the vocabulary",
                      spec.source, *spec.unknown));
    unknown_ = *id;
  }
  for (int byte = 0; byte < 256; ++byte)
    byte_ids_[byte] = vocabulary.id(fmt::format("<0x{:02X}>", byte)).value_or(-1);
  auto sorted = spec.vocabulary;
  std::ranges::sort(sorted);
  grow(sorted);
}

// Level by level: a node stands for a stretch of the sorted tokens that begin alike.
void Unigram::grow(const std::vector<std::pair<std::string, std::int32_t>>& sorted) {
  struct Stretch {
    std::size_t begin, end, depth;
  };
  std::vector<Stretch> stretches = {{0, sorted.size(), 0}};
  nodes_.emplace_back();
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    auto [begin, end, depth] = stretches[i];
    for (; begin < end && sorted[begin].first.size() == depth; ++begin)
      if (depth > 0) nodes_[i].id = sorted[begin].second;
    nodes_[i].first_edge = static_cast<std::uint32_t>(edges_.size());
    while (begin < end) {
      const char byte = sorted[begin].first[depth];
      std::size_t next = begin;
      while (next < end && sorted[next].first[depth] == byte) ++next;
      edges_.push_back(
          {static_cast<unsigned char>(byte), static_cast<std::uint32_t>(stretches.size())});
      stretches.push_back({begin, next, depth + 1});
      nodes_.emplace_back();
      begin = next;
    }
    nodes_[i].edges = static_cast<std::uint32_t>(edges_.size()) - nodes_[i].first_edge;
  }
}

const Unigram::Node* Unigram::child(const Node& node, unsigned char byte) const {
  const auto begin = edges_.begin() + node.first_edge, end = begin + node.edges;
  const auto found = std::ranges::lower_bound(begin, end, byte, {}, &Edge::byte);
  return found != end && found->byte == byte ? &nodes_[found->node] : nullptr;
}

std::vector<Unigram::Way> Unigram::ways_through(std::string_view piece) const {
  std::vector<Way> ways(piece.size() + 1);
  for (std::size_t at = 0; at < piece.size();) {
    const double here = ways[at].score;
    const std::size_t character = code_point_at(piece, at).length;
    const auto offer = [&](std::size_t end, double score, std::int32_t id) {
      Way& way = ways[end];
      if (way.from < 0 || score > way.score) way = {score, static_cast<std::ptrdiff_t>(at), id};
    };
    bool covered = false;
    const Node* node = nodes_.data();
    for (std::size_t end = at; end < piece.size();) {
      node = child(*node, static_cast<unsigned char>(piece[end]));
      ++end;
      if (!node) break;
      if (node->id < 0) continue;
      offer(end, scores_[node->id] + here, node->id);
      covered |= end - at == character;
    }
    if (!covered) offer(at + character, unknown_score_ + here, unknown_);
    at += character;
  }
  return ways;
}

void Unigram::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  const std::vector<Way> ways = ways_through(piece);
  // Back from the end; a run of unknown characters is one stretch.
  std::vector<std::string_view> tokens;
  bool after_unknown = false;
  for (std::size_t end = piece.size(); end > 0;) {
    const Way& way = ways[end];
    const auto begin = static_cast<std::size_t>(way.from);
    const bool unknown = way.id == unknown_;
    if (unknown && after_unknown) {
      tokens.back() = {piece.data() + begin, end - begin + tokens.back().size()};
    } else {
      tokens.push_back(piece.substr(begin, end - begin));
    }
    after_unknown = unknown;
    end = begin;
  }
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) put(*token, ids);
}

void Unigram::put(std::string_view token, std::vector<std::int32_t>& ids) const {
  if (const auto id = vocabulary_.id(token)) return ids.push_back(*id);
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  const auto lacking = [&](char byte) { return id_of(byte) < 0; };
  if (byte_fallback_ && std::ranges::none_of(token, lacking)) {
    for (const char byte : token) ids.push_back(id_of(byte));
  } else if (unknown_ >= 0) {
    ids.push_back(unknown_);
  }
}

}  // namespace mezo
