#include "core/text/byte_pairs.h"

#include <fmt/format.h>

#include <queue>

#include "core/error.h"
#include "core/text/byte_level.h"

namespace mezo {
namespace {

constexpr std::int32_t kGone = -1;

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

BytePairs::BytePairs(const TokenizerSpec& spec)
    : fuse_unknown_(spec.fuse_unknown), ignore_merges_(spec.ignore_merges) {
  vocabulary_.reserve(spec.vocabulary.size());
  for (const auto& [token, id] : spec.vocabulary) vocabulary_[token] = id;
  for (int byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = token_id(byte_spelling(static_cast<unsigned char>(byte))).value_or(-1);
  }
  // Where every byte that UTF-8 has has its token, the one for others is never asked for.
  bool lacks_bytes = false;
  for (int byte = 0; byte < 0xF5; ++byte)
    lacks_bytes |= byte_ids_[byte] < 0 && byte != 0xC0 && byte != 0xC1;
  if (spec.unknown && lacks_bytes) {
    const auto id = token_id(*spec.unknown);
    if (!id) {
      throw ModelError(
          fmt::format("[tokenizer] {}: unk_token is '{}', which is not in the vocabulary",
                      spec.source, *spec.unknown));
    }
    unknown_ = *id;
  }
  merges_.reserve(spec.merges.size());
  for (std::size_t i = 0; i < spec.merges.size(); ++i) add_merge(spec, i);
}

void BytePairs::add_merge(const TokenizerSpec& spec, std::size_t number) {
  const auto& [left, right] = spec.merges[number];
  const auto id_of = [&](const std::string& token) {
    const auto id = token_id(token);
    if (id) return *id;
    throw ModelError(fmt::format(
        "[tokenizer] {}: merge {} ('{} {}') needs the token '{}', which is not in the vocabulary",
        spec.source, number + 1, left, right, token));
  };
  const std::uint64_t key = pair_key(id_of(left), id_of(right));
  merges_[key] = {static_cast<std::uint32_t>(number), id_of(left + right)};
}

std::optional<std::int32_t> BytePairs::token_id(std::string_view spelling) const {
  const auto found = vocabulary_.find(std::string(spelling));
  if (found == vocabulary_.end()) return std::nullopt;
  return found->second;
}

void BytePairs::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (ignore_merges_) {
    if (const auto whole = token_id(spell_bytes(piece))) {
      ids.push_back(*whole);
      return;
    }
  }
  std::vector<Symbol> word = symbols(piece);
  join(word);
  for (const Symbol& symbol : word) {
    if (symbol.id != kGone) ids.push_back(symbol.id);
  }
}

std::vector<BytePairs::Symbol> BytePairs::symbols(std::string_view piece) const {
  std::vector<Symbol> word;
  word.reserve(piece.size());
  bool after_unknown = false;
  for (const char byte : piece) {
    std::int32_t id = byte_ids_[static_cast<unsigned char>(byte)];
    const bool lacking = id < 0;
    if (lacking) {
      id = unknown_;
      if (id < 0 || (after_unknown && fuse_unknown_)) continue;
    }
    after_unknown = lacking;
    const auto at = static_cast<std::int64_t>(word.size());
    word.push_back({id, at - 1, at + 1});
  }
  if (!word.empty()) word.back().next = -1;
  return word;
}

// The queue gives its greatest element first: here the lowest rank, then the leftmost.
bool BytePairs::Candidate::operator<(const Candidate& other) const {
  return rank != other.rank ? rank > other.rank : at > other.at;
}

const BytePairs::Merge* BytePairs::merge_at(const std::vector<Symbol>& symbols,
                                            std::int64_t at) const {
  if (at < 0 || symbols[at].id == kGone || symbols[at].next < 0) return nullptr;
  const auto found = merges_.find(pair_key(symbols[at].id, symbols[symbols[at].next].id));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairs::join(std::vector<Symbol>& symbols) const {
  std::priority_queue<Candidate> queue;
  const auto offer = [&](std::int64_t at) {
    if (const Merge* merge = merge_at(symbols, at)) queue.push({merge->rank, merge->id, at});
  };
  for (std::size_t at = 0; at < symbols.size(); ++at) offer(static_cast<std::int64_t>(at));
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    // A candidate is stale when a neighbour was joined to something else in the meantime.
    const Merge* merge = merge_at(symbols, best.at);
    if (!merge || merge->id != best.id) continue;
    Symbol& left = symbols[best.at];
    Symbol& right = symbols[left.next];
    left.id = best.id;
    left.next = right.next;
    right.id = kGone;
    if (left.next >= 0) symbols[left.next].previous = best.at;
    offer(left.previous);
    offer(best.at);
  }
}

}  // namespace mezo
