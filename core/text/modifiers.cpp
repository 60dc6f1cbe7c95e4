#include "core/text/modifiers.h"

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

using Text = std::string_view;

std::size_t first_letter_length(Text text) {
  return text.empty() ? 0 : code_point_at(text, 0).length;
}

// Back over at most three continuation bytes; a byte that is not UTF-8 is a letter of its own.
std::size_t last_letter_begin(Text text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    const CodePoint c = code_point_at(text, text.size() - length);
    if (c.valid && c.length == length) return text.size() - length;
  }
  return text.empty() ? 0 : text.size() - 1;
}

// Bytes that are not UTF-8 pass unchanged.
std::string mapped(Text text, char32_t (*change)(char32_t)) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    if (c.valid) {
      append_utf8(out, change(c.value));
    } else {
      out.append(text.substr(at, c.length));
    }
    at += c.length;
  }
  return out;
}

std::string first_mapped(Text text, char32_t (*change)(char32_t)) {
  const std::size_t length = first_letter_length(text);
  return mapped(text.substr(0, length), change).append(text.substr(length));
}

std::string capitalize(Text text) { return first_mapped(text, to_upper); }
std::string lower_first(Text text) { return first_mapped(text, to_lower); }
std::string lower(Text text) { return mapped(text, to_lower); }

std::string drop_last(Text text) { return std::string(text.substr(0, last_letter_begin(text))); }

std::string drop_full_stop(Text text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  return std::string(text);
}

std::string highlights(Text text) {
  constexpr Text mark = "@highlight\n";
  std::string out;
  for (std::size_t at = text.find(mark); at != Text::npos; at = text.find(mark)) {
    out.append(text.substr(0, at)).append("- ");
    text.remove_prefix(at + mark.size());
  }
  return out.append(text);
}

std::string lower_first_word(Text text) {
  const Text word = text.substr(0, text.find(' '));
  if (word == "I") return std::string(text);
  return mapped(word, to_lower).append(text.substr(word.size()));
}

std::string question_mark(Text text) {
  return std::string(text).append(text.ends_with('?') ? "" : "?");
}

std::string rstrip(Text text) {
  while (!text.empty() && is_space(code_point_at(text, last_letter_begin(text)).value)) {
    text = text.substr(0, last_letter_begin(text));
  }
  return std::string(text);
}

std::string strip(Text text) {
  while (!text.empty() && is_space(code_point_at(text, 0).value)) {
    text.remove_prefix(first_letter_length(text));
  }
  return rstrip(text);
}

constexpr Modifier kModifiers[] = {
    {"capitalize", "the first letter in upper case, the rest as it is", capitalize},
    {"drop_full_stop", "without a final '.'", drop_full_stop},
    {"drop_last", "without the last character, whatever it is", drop_last},
    {"highlights", "each '@highlight' line mark as '- ' (ReCoRD passages)", highlights},
    {"lower", "all letters in lower case", lower},
    {"lower_first", "the first letter in lower case", lower_first},
    {"lower_first_word", "the first word in lower case, unless it is 'I'", lower_first_word},
    {"question_mark", "with a final '?'", question_mark},
    {"rstrip", "without white space at the end", rstrip},
    {"strip", "without white space at either end", strip},
};

}  // namespace

std::span<const Modifier> modifiers() { return kModifiers; }

const Modifier* find_modifier(std::string_view name) {
  for (const Modifier& modifier : kModifiers) {
    if (modifier.name == name) return &modifier;
  }
  return nullptr;
}

}  // namespace mezo
