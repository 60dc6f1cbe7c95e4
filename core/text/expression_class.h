#pragma once
// Reads what stands for one character in an expression: a literal, an escape, a class in brackets.
// The characters of an expression and where it fails are here too. Used by expression_syntax.cpp.

#include <optional>
#include <string>
#include <string_view>

#include "core/text/code_point_set.h"

namespace mezo {

class ExpressionReader {
 public:
  ExpressionReader(std::string_view text, const std::string& source)
      : text_(text), source_(source) {}

  bool done() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(std::string_view word);  // whether it stands here; then goes behind it
  std::optional<std::uint32_t> number();

  CodePointSet character();  // outside of brackets
  CodePointSet bracket();    // behind "["

  [[noreturn]] void fail(const char* what) const;

  bool ignores_case = false;

 private:
  // One code point, or a class that no range can begin or end with.
  struct Item {
    CodePointSet set;
    std::optional<char32_t> point;
  };
  Item escape();  // behind "\"
  Item item();
  char32_t code_point();
  char32_t hexadecimal();
  CodePointSet property(bool outside);
  CodePointSet literal(char32_t first, char32_t last) const;

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace mezo
