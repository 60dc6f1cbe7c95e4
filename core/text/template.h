#pragma once
// Prompt templates: `{premise}\nDoes this mean that "{hypothesis}" is true?` and the fields of an
// example make a prompt. Used by core/task, which reads templates from task files. A template is
// parsed once; rendering costs one copy of the text.
//
//   {field}            the example's field of that name
//   {field|lower|…}    the same, changed by modifiers from left to right (core/text/modifiers.h)
//   {field|replace('a', other)}  a modifier's arguments: text in single quotes, in which \n, \t, \'
//                      and \\ are as in C; another field; or a whole number
//   <mask>             where a masked model predicts
//   {{  }}             a brace
//
// A template is a list of pieces, because masked prompts are tokenised piece by piece (Malladi et
// al. 2023, medium_models): the text between, each field, the mask. Outer spaces of a field are
// kept.

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/error.h"

namespace mezo {

// A template that cannot be parsed. `column` counts characters from 1 inside the template, for a
// caller that knows where the template stands.
class MEZO_API TemplateError : public ConfigError {
 public:
  TemplateError(std::size_t column, const std::string& message);
  ~TemplateError() override;
  std::size_t column() const noexcept { return column_; }

 private:
  std::size_t column_;
};

// An example lacks a field that a template needs. The caller knows the example's file and line.
class MEZO_API MissingFieldError : public DataError {
 public:
  MissingFieldError(std::string field, const std::string& message);
  ~MissingFieldError() override;
  const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

struct Modifier;

class MEZO_API PromptTemplate {
 public:
  enum class Kind { literal, field, mask };

  struct Argument {
    std::string text;
    bool field = false;  // the text is a field's name
  };
  struct Change {
    const Modifier* modifier;
    std::vector<Argument> arguments;
  };

  struct Piece {
    Kind kind;
    std::string text;               // a literal's text, a field's name, or "<mask>"
    std::vector<Change> modifiers;  // of a field
    std::size_t most_tokens = 0;    // first_tokens(); 0: all
  };

  // A rendered piece: its text ("<mask>" for the mask), of which whoever tokenises it keeps the
  // first `most_tokens` tokens (0: all).
  struct Rendered {
    Kind kind;
    std::string text;
    std::size_t most_tokens = 0;
  };

  using Fields = std::map<std::string, std::string, std::less<>>;

  explicit PromptTemplate(std::string_view source);  // throws TemplateError

  const std::vector<Piece>& pieces() const { return pieces_; }
  std::vector<std::string> fields() const;  // each once, in the order of first use
  std::size_t masks() const;                // how many <mask> it has
  bool cuts_tokens() const;                 // whether a field has first_tokens()

  // Both throw MissingFieldError, naming the field and the nearest of those that exist, and
  // DataError, naming the field, where a modifier cannot change its text.
  std::vector<Rendered> render_pieces(const Fields& fields) const;
  std::string render(const Fields& fields) const;  // as one text, in which no token is cut

 private:
  std::vector<Piece> pieces_;
};

}  // namespace mezo
