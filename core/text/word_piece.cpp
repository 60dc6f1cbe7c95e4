#include "core/text/word_piece.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace mezo {
namespace {

bool goes_on(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !goes_on(byte); }));
}

}  // namespace

WordPiece::WordPiece(const TokenizerSpec& spec, const Vocabulary& vocabulary)
    : vocabulary_(vocabulary), prefix_(spec.continuing_prefix), longest_word_(spec.longest_word) {
  const auto id = vocabulary.id(spec.unknown.value_or(""));
  if (!id)
    throw ModelError(
        fmt::format("[tokenizer] {}: unk_token is '{}', which is not in the vocabulary",
                    spec.source, spec.unknown.value_or("")));
  unknown_ = *id;
  for (const auto& [token, number] : spec.vocabulary)
    longest_token_ = std::max(longest_token_, token.size());
}

void WordPiece::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (characters_in(piece) > longest_word_) return ids.push_back(unknown_);
  const std::size_t before = ids.size();
  for (std::size_t at = 0; at < piece.size();) {
    std::size_t end = at;
    const auto id = longest_at(piece, at, end);
    if (!id) {
      ids.resize(before);
      return ids.push_back(unknown_);
    }
    ids.push_back(*id);
    at = end;
  }
}

std::optional<std::int32_t> WordPiece::longest_at(std::string_view word, std::size_t at,
                                                  std::size_t& end) const {
  const std::string prefix = at > 0 ? prefix_ : "";
  std::string token = prefix;
  token += word.substr(at, longest_token_);
  for (end = at + token.size() - prefix.size(); end > at; --end) {
    const bool whole = end == word.size() || !goes_on(word[end]);
    token.resize(prefix.size() + end - at);
    if (!whole) continue;
    if (const auto id = vocabulary_.id(token)) return id;
  }
  return std::nullopt;
}

}  // namespace mezo
