#include "core/text/byte_pairs.h"

#include <fmt/format.h>

#include <queue>

#include "core/error.h"
#include "core/text/byte_level.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

constexpr std::int32_t kGone = -1;

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

// A run of what is lacking may be one unknown token: it is put down when the run ends.
class BytePairs::Word {
 public:
  Word(std::int32_t unknown, bool fuse) : unknown_(unknown), fuse_(fuse) {}

  void add(std::int32_t id) {
    const auto at = static_cast<std::int64_t>(symbols_.size());
    symbols_.push_back({id, at - 1, at + 1});
  }

  void add_unknown() {
    if (unknown_ < 0) return;
    if (!fuse_) finish_unknown();
    pending_ = true;
  }

  void finish_unknown() {
    if (pending_) add(unknown_);
    pending_ = false;
  }

  std::vector<Symbol> symbols() && {
    finish_unknown();
    if (!symbols_.empty()) symbols_.back().next = -1;
    return std::move(symbols_);
  }

  void reserve(std::size_t count) { symbols_.reserve(count); }

 private:
  std::vector<Symbol> symbols_;
  std::int32_t unknown_;
  bool fuse_, pending_ = false;
};

BytePairs::BytePairs(const TokenizerSpec& spec, const Vocabulary& vocabulary, bool byte_level)
    : vocabulary_(vocabulary),
      byte_level_(byte_level),
      byte_fallback_(spec.byte_fallback && !byte_level),
      fuse_unknown_(spec.fuse_unknown),
      ignore_merges_(spec.ignore_merges) {
  find_bytes(spec);
  merges_.reserve(spec.merges.size());
  for (std::size_t i = 0; i < spec.merges.size(); ++i) add_merge(spec, i);
}

void BytePairs::find_bytes(const TokenizerSpec& spec) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string token = byte_level_ ? byte_spelling(static_cast<unsigned char>(byte))
                                          : fmt::format("<0x{:02X}>", byte);
    byte_ids_[byte] = vocabulary_.id(token).value_or(-1);
  }
  // Where every byte that UTF-8 has has its token, the one for others is never asked for.
  bool lacks_bytes = !byte_level_ && !byte_fallback_;
  for (int byte = 0; byte < 0xF5; ++byte)
    lacks_bytes |= byte_ids_[byte] < 0 && byte != 0xC0 && byte != 0xC1;
  if (lacks_bytes && byte_level_ && spec.byte_fallback)
    throw ModelError(fmt::format(
        "[tokenizer] {}: expected no byte_fallback beside ByteLevel, which has tokens for bytes",
        spec.source));
  if (!spec.unknown || !lacks_bytes) return;
  const auto id = vocabulary_.id(*spec.unknown);
  if (!id)
    throw ModelError(
        fmt::format("[tokenizer] {}: unk_token is '{}', which is not in the vocabulary",
                    spec.source, *spec.unknown));
  unknown_ = *id;
}

void BytePairs::add_merge(const TokenizerSpec& spec, std::size_t number) {
  const auto& [left, right] = spec.merges[number];
  const auto id_of = [&](const std::string& token) {
    const auto id = vocabulary_.id(token);
    if (id) return *id;
    throw ModelError(fmt::format(
        "[tokenizer] {}: merge {} ('{} {}') needs the token '{}', which is not in the vocabulary",
        spec.source, number + 1, left, right, token));
  };
  const std::uint64_t key = pair_key(id_of(left), id_of(right));
  merges_[key] = {static_cast<std::uint32_t>(number), id_of(left + right)};
}

void BytePairs::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (ignore_merges_) {
    const auto whole = vocabulary_.id(byte_level_ ? spell_bytes(piece) : std::string(piece));
    if (whole) return ids.push_back(*whole);
  }
  std::vector<Symbol> word = byte_level_ ? symbols_of_bytes(piece) : symbols_of_characters(piece);
  join(word);
  for (const Symbol& symbol : word) {
    if (symbol.id != kGone) ids.push_back(symbol.id);
  }
}

std::vector<BytePairs::Symbol> BytePairs::symbols_of_bytes(std::string_view piece) const {
  Word word(unknown_, fuse_unknown_);
  word.reserve(piece.size());
  for (const char byte : piece) {
    const std::int32_t id = byte_ids_[static_cast<unsigned char>(byte)];
    if (id < 0) {
      word.add_unknown();
      continue;
    }
    word.finish_unknown();
    word.add(id);
  }
  return std::move(word).symbols();
}

std::vector<BytePairs::Symbol> BytePairs::symbols_of_characters(std::string_view piece) const {
  Word word(unknown_, fuse_unknown_);
  word.reserve(piece.size());
  for (std::size_t at = 0; at < piece.size();) {
    const std::string_view character = piece.substr(at, code_point_at(piece, at).length);
    at += character.size();
    if (const auto id = vocabulary_.id(character)) {
      word.finish_unknown();
      word.add(*id);
    } else if (!byte_fallback_ || !add_as_bytes(character, word)) {
      word.add_unknown();
    }
  }
  return std::move(word).symbols();
}

// An unknown token that is pending stays so, as in the package: it comes behind these bytes.
bool BytePairs::add_as_bytes(std::string_view character, Word& word) const {
  for (const char byte : character)
    if (byte_ids_[static_cast<unsigned char>(byte)] < 0) return false;
  for (const char byte : character) word.add(byte_ids_[static_cast<unsigned char>(byte)]);
  return true;
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
