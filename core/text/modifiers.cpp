#include "core/text/modifiers.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

using Text = std::string_view;
using Given = std::span<const std::string>;

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

std::string replace(Text text, Given given) {
  const std::string &from = given[0], &to = given[1];
  if (from.empty()) throw DataError("cannot have an empty text replaced");
  std::string out;
  for (std::size_t at = text.find(from); at != Text::npos; at = text.find(from)) {
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return out.append(text);
}

std::string prepend(Text text, Given given) { return std::string(given[0]).append(text); }

std::string choose(Text text, Given given) {
  std::string known;
  for (std::size_t i = 0; i < given.size(); i += 2) {
    if (given[i] == text) return given[i + 1];
    known += fmt::format("{}'{}'", i ? ", " : "", given[i]);
  }
  throw DataError(
      fmt::format("is '{}', and choose() has a text for {}", text.substr(0, 80), known));
}

std::string first_words(Text text, Given given) {
  std::size_t left = std::stoul(given[0]);
  bool within = false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    const bool space = c.valid && is_space(c.value);
    if (within && space && --left == 0) return std::string(text.substr(0, at));
    within = !space;
    at += c.length;
  }
  return std::string(text);
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

template <std::string (*change)(Text)>
std::string alone(Text text, Given) {
  return change(text);
}

using enum Modifier::Takes;

constexpr Modifier kModifiers[] = {
    {"capitalize", "", "the first letter in upper case, the rest as it is", nothing,
     alone<capitalize>},
    {"choose", "('value', 'text', …)", "the text behind the value that the field has", pairs,
     choose},
    {"drop_full_stop", "", "without a final '.'", nothing, alone<drop_full_stop>},
    {"drop_last", "", "without the last character, whatever it is", nothing, alone<drop_last>},
    {"first_tokens", "(100)", "its first 100 tokens; the last modifier, in a prompt with <mask>",
     number, nullptr},
    {"first_words", "(100)", "up to the end of its 100th word; words stand between white space",
     number, first_words},
    {"lower", "", "all letters in lower case", nothing, alone<lower>},
    {"lower_first", "", "the first letter in lower case", nothing, alone<lower_first>},
    {"lower_first_word", "", "the first word in lower case, unless it is 'I'", nothing,
     alone<lower_first_word>},
    {"prepend", "('text')", "with a text before it", one_text, prepend},
    {"question_mark", "", "with a final '?'", nothing, alone<question_mark>},
    {"replace", "('old', 'new')", "with every old text turned into the new one", two_texts,
     replace},
    {"rstrip", "", "without white space at the end", nothing, alone<rstrip>},
    {"strip", "", "without white space at either end", nothing, alone<strip>},
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
