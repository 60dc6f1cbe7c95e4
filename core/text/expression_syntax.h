#pragma once
// The syntax of the expressions by which tokenizers cut text, as a tree. It is Oniguruma's, which
// the `tokenizers` package uses, as far as pre-tokenizers need it: literals, classes, \p{…}, \s,
// \d, groups, (?i:…), alternatives, quantifiers (greedy, lazy, possessive), lookahead. Anything
// else is an error that names it, never another meaning. Used by Expression.

#include <string>
#include <string_view>
#include <vector>

#include "core/text/code_point_set.h"

namespace mezo {

struct ExpressionNode {
  enum class Kind { set, sequence, choice, repeat, atomic, look };
  static constexpr std::uint32_t kUnlimited = UINT32_MAX;

  Kind kind = Kind::sequence;
  CodePointSet set = {};                   // set: one character of it
  std::vector<ExpressionNode> parts = {};  // sequence, choice: any number; the others: one
  std::uint32_t least = 0, most = 0;       // repeat
  bool lazy = false;                       // repeat
  bool negated = false;                    // look: (?!…)

  bool may_be_empty() const;
  CodePointSet first_characters() const;  // with what a match that is not empty can begin
};

// Throws ModelError that names `source`, the expression and what in it is not known.
ExpressionNode parse_expression(std::string_view text, const std::string& source);

}  // namespace mezo
