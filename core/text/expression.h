#pragma once
// A regular expression that finds one match after another in a text, as Oniguruma does: the first
// alternative that fits, greedy unless told otherwise. Compiled once to a short program and run by
// backtracking: linear in the text for what pre-tokenizers are made of. Whatever else an expression
// is made to do on whatever text, its work is bounded: then an error, not hours. Characters come
// from core/text/unicode.h, so that ids do not depend on a library's age. Used by Pattern.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/expression_syntax.h"

namespace mezo {

class Expression {
 public:
  struct Match {
    std::size_t begin, end;
  };

  // Throws ModelError as parse_expression() does, where the expression could match nothing (an
  // empty piece) and where it is too long.
  Expression(std::string_view text, const std::string& source);

  // Goes over the matches of one text, which is valid UTF-8. Throws DataError where the work
  // exceeds 1,000 steps a byte.
  class Search {
   public:
    Search(const Expression& expression, std::string_view text);
    std::optional<Match> next();

   private:
    // Go on at `step` with the text from `at`; a repeated class may give back characters down to
    // `low`.
    struct Way {
      std::uint32_t step;
      std::size_t at, low;
    };
    std::optional<std::size_t> run(std::uint32_t step, std::size_t at);
    bool advance(std::uint32_t& step, std::size_t& at);
    bool repeat(std::uint32_t& step, std::size_t& at);
    bool turn_back(std::size_t floor, std::uint32_t& step, std::size_t& at);
    void spend(std::size_t work);

    const Expression& expression_;
    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t work_left_;
    std::vector<Way> ways_;
  };

 private:
  struct Step {
    enum class Kind : std::uint8_t { set, repeat, split, jump, atomic, look, accept };
    Kind kind;
    bool negated = false;               // look
    bool keeps = false;                 // repeat: gives nothing back
    std::uint32_t table = 0;            // set, repeat
    std::uint32_t least = 0, most = 0;  // repeat
    std::uint32_t to = 0;               // jump; split: the second way; atomic, look: what follows
  };
  void compile(const ExpressionNode& node, bool keeps);
  void compile_choice(const ExpressionNode& node);
  void compile_repeat(const ExpressionNode& node, bool keeps);
  void compile_inner(const ExpressionNode& node);
  std::uint32_t put(Step step);
  std::uint32_t table(const CodePointSet& set);
  void add_branch(const ExpressionNode& node);

  std::string source_;
  std::vector<Step> program_;
  std::vector<CodePointSet> sets_;
  std::vector<CodePointTable> tables_;                    // of the sets
  std::array<std::vector<std::uint32_t>, 129> branches_;  // by the first byte; 128: beyond ASCII
};

}  // namespace mezo
