#include "core/text/added_tokens.h"

#include <algorithm>

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

std::uint64_t edge_key(std::uint32_t node, char byte) {
  return static_cast<std::uint64_t>(node) << 8 | static_cast<unsigned char>(byte);
}

std::size_t space_end(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const CodePoint c = code_point_at(text, at);
    if (!is_space(c.value)) break;
    at += c.length;
  }
  return at;
}

// Where the white space that ends at `end` begins, going back no further than `floor`.
std::size_t space_begin(std::string_view text, std::size_t end, std::size_t floor) {
  while (end > floor) {
    std::size_t at = end - 1;
    while (at > floor && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    if (!is_space(code_point_at(text, at).value)) break;
    end = at;
  }
  return end;
}

}  // namespace

void AddedTokens::add(const AddedToken& token, std::int32_t id) {
  if (token.content.empty()) return;
  std::uint32_t node = 0;
  for (const char byte : token.content) {
    const auto next = static_cast<std::uint32_t>(ends_.size());
    const auto [edge, is_new] = edges_.try_emplace(edge_key(node, byte), next);
    if (is_new) ends_.push_back(-1);
    node = edge->second;
  }
  begins_[static_cast<unsigned char>(token.content[0])] = true;
  ends_[node] = static_cast<std::int32_t>(entries_.size());
  entries_.push_back({id, token.content.size(), token.lstrip, token.rstrip});
}

const AddedTokens::Entry* AddedTokens::longest_at(std::string_view text, std::size_t at) const {
  if (!begins_[static_cast<unsigned char>(text[at])]) return nullptr;
  const Entry* longest = nullptr;
  std::uint32_t node = 0;
  for (; at < text.size(); ++at) {
    const auto edge = edges_.find(edge_key(node, text[at]));
    if (edge == edges_.end()) break;
    node = edge->second;
    if (ends_[node] >= 0) longest = &entries_[ends_[node]];
  }
  return longest;
}

void AddedTokens::split(std::string_view text, std::vector<TextPart>& parts) const {
  std::size_t done = 0;  // all before it has its part
  for (std::size_t at = 0; at < text.size();) {
    const Entry* token = longest_at(text, at);
    if (!token) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->length;
    at = end;  // the search goes on here even where rstrip takes more
    if (token->lstrip) begin = begin > done ? space_begin(text, begin, done) : done;
    if (token->rstrip) end = space_end(text, end);
    // White space that the token before has taken along is not a token of its own any more.
    if (begin >= end) continue;
    if (done < begin) parts.push_back({text.substr(done, begin - done), -1});
    parts.push_back({text.substr(begin, end - begin), token->id});
    done = end;
  }
  if (done < text.size()) parts.push_back({text.substr(done), -1});
}

}  // namespace mezo
