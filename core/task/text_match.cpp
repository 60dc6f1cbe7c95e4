#include "core/task/text_match.h"

#include <map>
#include <vector>

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace mezo {

namespace {

bool is_ascii_punctuation(char32_t c) {
  return (c > 32 && c < 48) || (c > 57 && c < 65) || (c > 90 && c < 97) || (c > 122 && c < 127);
}

// Of the regular expressions' \w, by which Python finds where an article ends.
bool is_word(char32_t c) { return is_letter(c) || is_number(c) || c == U'_'; }

std::u32string lowered(const std::string& text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    at += c.length;
    if (const char32_t low = to_lower(c.value); !is_ascii_punctuation(low)) out += low;
  }
  return out;
}

std::vector<std::u32string> words_of(const std::string& text) {
  const std::u32string low = lowered(text);
  std::u32string kept;
  for (std::size_t at = 0; at < low.size();) {
    std::size_t end = at;
    while (end < low.size() && is_word(low[end])) ++end;
    const std::u32string run = low.substr(at, end - at);
    if (run == U"a" || run == U"an" || run == U"the")
      kept += U' ';
    else
      kept += run;
    if (end < low.size()) kept += low[end++];
    at = end;
  }
  std::vector<std::u32string> words;
  std::u32string word;
  for (const char32_t c : kept + U' ') {
    if (!is_space(c)) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

}  // namespace

double shared_words(const std::string& text, const std::string& right) {
  const auto own = words_of(text), wanted = words_of(right);
  std::map<std::u32string, std::int64_t> left;
  for (const auto& word : wanted) ++left[word];
  double shared = 0;
  for (const auto& word : own)
    if (left[word]-- > 0) ++shared;
  if (shared == 0) return 0;
  const double precision = shared / static_cast<double>(own.size()),
               recall = shared / static_cast<double>(wanted.size());
  return 2 * precision * recall / (precision + recall);
}

double same_words(const std::string& text, const std::string& right) {
  return words_of(text) == words_of(right) ? 1 : 0;
}

}  // namespace mezo
