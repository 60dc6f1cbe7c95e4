#include "core/text/template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/text/modifiers.h"
#include "core/text/template_parser.h"

namespace mezo {
namespace {

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

const std::string& text_of(const std::string& name, const PromptTemplate::Fields& fields) {
  const auto found = fields.find(name);
  if (found == fields.end()) throw_missing(name, fields);
  return found->second;
}

std::string filled(const PromptTemplate::Piece& piece, const PromptTemplate::Fields& fields) {
  std::string text = text_of(piece.text, fields);
  for (const PromptTemplate::Change& change : piece.modifiers) {
    std::vector<std::string> arguments;
    for (const PromptTemplate::Argument& argument : change.arguments)
      arguments.push_back(argument.field ? text_of(argument.text, fields) : argument.text);
    try {
      text = change.modifier->apply(text, arguments);
    } catch (const DataError& e) {
      throw DataError(fmt::format("[template] the field '{}' {}", piece.text, e.what()));
    }
  }
  return text;
}

}  // namespace

TemplateError::TemplateError(std::size_t column, const std::string& message)
    : ConfigError(fmt::format("[template] column {}: {}", column, message)), column_(column) {}
TemplateError::~TemplateError() = default;

MissingFieldError::MissingFieldError(std::string field, const std::string& message)
    : DataError(message), field_(std::move(field)) {}
MissingFieldError::~MissingFieldError() = default;

PromptTemplate::PromptTemplate(std::string_view source) : pieces_(parse_template(source)) {}

std::vector<std::string> PromptTemplate::fields() const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const Piece& piece : pieces_) {
    if (piece.kind != Kind::field) continue;
    add(piece.text);
    for (const Change& change : piece.modifiers)
      for (const Argument& argument : change.arguments)
        if (argument.field) add(argument.text);
  }
  return names;
}

std::size_t PromptTemplate::masks() const {
  return std::count_if(pieces_.begin(), pieces_.end(),
                       [](const Piece& piece) { return piece.kind == Kind::mask; });
}

bool PromptTemplate::cuts_tokens() const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [](const Piece& piece) { return piece.most_tokens > 0; });
}

std::vector<PromptTemplate::Rendered> PromptTemplate::render_pieces(const Fields& fields) const {
  std::vector<Rendered> rendered;
  for (const Piece& piece : pieces_) {
    const bool field = piece.kind == Kind::field;
    rendered.push_back({piece.kind, field ? filled(piece, fields) : piece.text, piece.most_tokens});
  }
  return rendered;
}

std::string PromptTemplate::render(const Fields& fields) const {
  std::string text;
  for (const Rendered& piece : render_pieces(fields)) text += piece.text;
  return text;
}

}  // namespace mezo
