#include "core/text/template_parser.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/text/modifiers.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

constexpr std::string_view kMask = "<mask>";
using Argument = PromptTemplate::Argument;

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

// 0 for what is no whole number from 1 to a million.
std::size_t whole_number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = problem == std::errc() && end == text.data() + text.size();
  return whole && value <= 1'000'000 ? value : 0;
}

bool fits(Modifier::Takes takes, const std::vector<Argument>& given) {
  using enum Modifier::Takes;
  switch (takes) {
    case nothing:
      return given.empty();
    case one_text:
      return given.size() == 1;
    case two_texts:
      return given.size() == 2;
    case pairs:
      return !given.empty() && given.size() % 2 == 0;
    case number:
      return given.size() == 1 && !given[0].field && whole_number(given[0].text) > 0;
  }
  return false;
}

// Reads a template from left to right; `at_` is the byte that comes next.
class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source) {}

  std::vector<PromptTemplate::Piece> pieces() {
    while (at_ < source_.size()) read_next();
    end_literal();
    return std::move(pieces_);
  }

 private:
  bool next_is(std::string_view text) const { return source_.substr(at_, text.size()) == text; }

  void read_next() {
    if (next_is("{{") || next_is("}}")) {
      literal_ += source_[at_];
      at_ += 2;
    } else if (next_is("{")) {
      end_literal();
      read_field();
    } else if (next_is("}")) {
      fail(at_, "'}' without '{'; write '}}' for a brace");
    } else if (next_is(kMask)) {
      end_literal();
      pieces_.push_back({PromptTemplate::Kind::mask, std::string(kMask), {}});
      at_ += kMask.size();
    } else {
      literal_ += source_[at_++];
    }
  }

  void end_literal() {
    if (!literal_.empty()) pieces_.push_back({PromptTemplate::Kind::literal, literal_, {}});
    literal_.clear();
  }

  // The '}' of the field that begins at `open`; braces within a modifier's quotes are text.
  std::size_t end_of_field(std::size_t open) const {
    bool arguments = false, quoted = false;
    for (std::size_t i = open + 1; i < source_.size(); ++i) {
      const char c = source_[i];
      if (quoted && c == '\\') {
        ++i;
      } else if (arguments && c == '\'') {
        quoted = !quoted;
      } else if (!quoted) {
        if (c == '}') return i;
        if (c == '{') break;
        arguments = c == '(' || (arguments && c != ')');
      }
    }
    fail(open, "'{' is not closed; write '{{' for a brace");
  }

  void read_field() {
    const std::size_t open = at_++;
    const std::size_t close = end_of_field(open);
    PromptTemplate::Piece piece{PromptTemplate::Kind::field, read_word(close, "|"), {}};
    while (at_ < close) {
      const std::size_t begin = ++at_;  // past the '|'
      if (piece.most_tokens > 0) fail(begin, "nothing can follow first_tokens()");
      const Modifier* one = modifier(begin, read_word(close, "|("));
      std::vector<Argument> given = read_arguments(close);
      if (!fits(one->takes, given))
        fail(begin, fmt::format("expected {}{}", one->name, one->arguments));
      if (!one->apply)
        piece.most_tokens = whole_number(given[0].text);
      else
        piece.modifiers.push_back({one, std::move(given)});
    }
    at_ = close + 1;
    pieces_.push_back(std::move(piece));
  }

  // A name that ends before `close` or at one of `ends`.
  std::string read_word(std::size_t close, std::string_view ends) {
    const std::size_t begin = at_;
    at_ = std::min(source_.find_first_of(ends, begin), close);
    const std::string_view word = source_.substr(begin, at_ - begin);
    if (!is_name(word)) {
      fail(begin,
           fmt::format("expected a name of letters, digits, '_', '-' and '.', got '{}'", word));
    }
    return std::string(word);
  }

  // What stands in parentheses behind a modifier's name, up to the next '|' or `close`.
  std::vector<Argument> read_arguments(std::size_t close) {
    std::vector<Argument> given;
    if (at_ == close || source_[at_] != '(') return given;
    do {
      ++at_;  // past '(' or ','
      skip_spaces();
      given.push_back(next_is("'") ? read_quoted() : read_bare(close));
      skip_spaces();
    } while (at_ < close && next_is(","));
    if (at_ >= close || !next_is(")")) fail(at_, "expected ',' or ')'");
    if (++at_ < close && !next_is("|")) fail(at_, "expected '|' or '}'");
    return given;
  }

  void skip_spaces() {
    while (next_is(" ")) ++at_;
  }

  Argument read_quoted() {
    Argument text;
    for (++at_; source_[at_] != '\''; ++at_) {
      if (source_[at_] != '\\') {
        text.text += source_[at_];
        continue;
      }
      switch (source_[++at_]) {
        case 'n':
          text.text += '\n';
          break;
        case 't':
          text.text += '\t';
          break;
        case '\'':
        case '\\':
          text.text += source_[at_];
          break;
        default:
          fail(at_ - 1, R"(in quotes '\' stands before n, t, ' or itself)");
      }
    }
    ++at_;
    return text;
  }

  // A number, or the name of a field.
  Argument read_bare(std::size_t close) {
    const std::string word = read_word(close, " ,)");
    return {word, whole_number(word) == 0};
  }

  const Modifier* modifier(std::size_t begin, const std::string& name) const {
    if (const Modifier* found = find_modifier(name)) return found;
    std::vector<std::string_view> known;
    for (const Modifier& one : modifiers()) known.push_back(one.name);
    fail(begin, fmt::format("unknown modifier '{}'; known are {}", name, fmt::join(known, ", ")));
  }

  [[noreturn]] void fail(std::size_t byte, const std::string& message) const {
    std::size_t column = 1;
    for (std::size_t i = 0; i < byte; i += code_point_at(source_, i).length) ++column;
    throw TemplateError(column, message);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::string literal_;
  std::vector<PromptTemplate::Piece> pieces_;
};

}  // namespace

std::vector<PromptTemplate::Piece> parse_template(std::string_view source) {
  return Parser(source).pieces();
}

}  // namespace mezo
