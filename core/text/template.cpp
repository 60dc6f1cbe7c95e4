#include "core/text/template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/text/modifiers.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

constexpr std::string_view kMask = "<mask>";

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
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

  void read_field() {
    const std::size_t open = at_++;
    const std::size_t close = source_.find_first_of("{}", at_);
    if (close == std::string_view::npos || source_[close] == '{') {
      fail(open, "'{' is not closed; write '{{' for a brace");
    }
    PromptTemplate::Piece piece{PromptTemplate::Kind::field, read_word(close), {}};
    while (at_ < close) {
      const std::size_t begin = ++at_;  // past the '|'
      piece.modifiers.push_back(modifier(begin, read_word(close)));
    }
    at_ = close + 1;
    pieces_.push_back(std::move(piece));
  }

  // A name that ends before `close` or at a '|'.
  std::string read_word(std::size_t close) {
    const std::size_t begin = at_;
    at_ = std::min(source_.find('|', begin), close);
    const std::string_view word = source_.substr(begin, at_ - begin);
    if (!is_name(word)) {
      fail(begin,
           fmt::format("expected a name of letters, digits, '_', '-' and '.', got '{}'", word));
    }
    return std::string(word);
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

// Levenshtein distance; names are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

[[noreturn]] void throw_missing(const std::string& name, const PromptTemplate::Fields& fields) {
  std::vector<std::string> known, near;
  for (const auto& [field, text] : fields) {
    known.push_back(fmt::format("'{}'", field));
    if (distance(name, field) <= std::max<std::size_t>(1, name.size() / 3))
      near.push_back(known.back());
  }
  std::string message = fmt::format("[template] the prompt needs the field '{}', ", name);
  if (!near.empty()) {
    message += fmt::format("which the example lacks; did you mean {}?", fmt::join(near, " or "));
  } else if (!known.empty()) {
    message += fmt::format("the example has {}", fmt::join(known, ", "));
  } else {
    message += "the example has no text fields";
  }
  throw MissingFieldError(name, message);
}

}  // namespace

TemplateError::TemplateError(std::size_t column, const std::string& message)
    : ConfigError(fmt::format("[template] column {}: {}", column, message)), column_(column) {}
TemplateError::~TemplateError() = default;

MissingFieldError::MissingFieldError(std::string field, const std::string& message)
    : DataError(message), field_(std::move(field)) {}
MissingFieldError::~MissingFieldError() = default;

PromptTemplate::PromptTemplate(std::string_view source) : pieces_(Parser(source).pieces()) {}

std::vector<std::string> PromptTemplate::fields() const {
  std::vector<std::string> names;
  for (const Piece& piece : pieces_) {
    const bool known = std::find(names.begin(), names.end(), piece.text) != names.end();
    if (piece.kind == Kind::field && !known) names.push_back(piece.text);
  }
  return names;
}

std::size_t PromptTemplate::masks() const {
  return std::count_if(pieces_.begin(), pieces_.end(),
                       [](const Piece& piece) { return piece.kind == Kind::mask; });
}

std::vector<PromptTemplate::Rendered> PromptTemplate::render_pieces(const Fields& fields) const {
  std::vector<Rendered> rendered;
  for (const Piece& piece : pieces_) {
    std::string text = piece.text;
    if (piece.kind == Kind::field) {
      const auto found = fields.find(piece.text);
      if (found == fields.end()) throw_missing(piece.text, fields);
      text = found->second;
      for (const Modifier* modifier : piece.modifiers) text = modifier->apply(text);
    }
    rendered.push_back({piece.kind, std::move(text)});
  }
  return rendered;
}

std::string PromptTemplate::render(const Fields& fields) const {
  std::string text;
  for (const Rendered& piece : render_pieces(fields)) text += piece.text;
  return text;
}

}  // namespace mezo
