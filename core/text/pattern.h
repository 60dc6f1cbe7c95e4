#pragma once
// What the steps of a tokenizer look for in a text: a literal, or an expression. Used by
// normalizers, pre-tokenizers and decoders.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/text/expression.h"
#include "core/text/tokenizer_steps.h"

namespace mezo {

class Pattern {
 public:
  // Throws as Expression does.
  Pattern(const PatternSpec& spec, const std::string& source);

  // Tells each stretch of the text in order, whether it matches or lies between matches.
  using Stretch = std::function<void(std::string_view stretch, bool matches)>;
  void cut(std::string_view text, const Stretch& tell) const;

 private:
  std::string literal_;
  std::shared_ptr<const Expression> expression_;  // none: the literal
};

std::string replace_all(const Pattern& pattern, std::string_view content, std::string_view text);

}  // namespace mezo
