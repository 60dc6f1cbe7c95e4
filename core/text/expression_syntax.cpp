#include "core/text/expression_syntax.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text/expression_class.h"

namespace mezo {
namespace {

using Node = ExpressionNode;
using Kind = ExpressionNode::Kind;

constexpr int kDeepest = 50;            // groups in groups
constexpr std::uint32_t kMost = 1'000;  // in {n,m}

class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : in_(text, source) {}

  Node whole() {
    Node node = choice(0);
    if (!in_.done()) in_.fail("a group that ends without a beginning");
    return node;
  }

 private:
  Node choice(int depth) {
    if (depth > kDeepest) in_.fail("groups this deep");
    Node node{.kind = Kind::choice};
    do {
      node.parts.push_back(sequence(depth));
    } while (in_.take("|"));
    return node.parts.size() == 1 ? std::move(node.parts[0]) : node;
  }

  Node sequence(int depth) {
    Node node{.kind = Kind::sequence};
    while (!in_.done() && in_.peek() != '|' && in_.peek() != ')')
      node.parts.push_back(quantified(depth));
    refuse_folded_pairs(node);
    return node.parts.size() == 1 ? std::move(node.parts[0]) : node;
  }

  // Where case is ignored Oniguruma takes a ligature or a sharp s for two letters.
  void refuse_folded_pairs(const Node& node) {
    if (!in_.ignores_case) return;
    const auto has = [&](std::size_t i, char32_t c) {
      const Node& one = node.parts[i];
      return one.kind == Kind::set &&
             std::ranges::any_of(one.set.ranges(), [&](const CodePointRange& range) {
               return range.first <= c && c <= range.last;
             });
    };
    for (std::size_t i = 0; i + 1 < node.parts.size(); ++i)
      for (const auto& [a, b] :
           {std::pair(U's', U's'), std::pair(U's', U't'), std::pair(U'f', U'f'),
            std::pair(U'f', U'i'), std::pair(U'f', U'l')})
        if (has(i, a) && has(i + 1, b)) in_.fail("letters that ignore case and have a ligature");
  }

  Node atom(int depth) {
    if (in_.take("(")) return group(depth);
    return {.kind = Kind::set, .set = in_.take("[") ? in_.bracket() : in_.character()};
  }

  Node group(int depth) {
    const bool outside = in_.ignores_case;
    Node node;
    if (in_.take("?:")) {
      node = choice(depth + 1);
    } else if (in_.take("?i:")) {
      in_.ignores_case = true;
      node = choice(depth + 1);
    } else if (in_.take("?>")) {
      node = {.kind = Kind::atomic, .parts = {choice(depth + 1)}};
    } else if (in_.take("?=")) {
      node = {.kind = Kind::look, .parts = {choice(depth + 1)}};
    } else if (in_.take("?!")) {
      node = {.kind = Kind::look, .parts = {choice(depth + 1)}, .negated = true};
    } else if (!in_.done() && in_.peek() == '?') {
      in_.fail("a group of this kind");
    } else {
      node = choice(depth + 1);
    }
    if (!in_.take(")")) in_.fail("a group without an end");
    in_.ignores_case = outside;
    return node;
  }

  Node quantified(int depth) {
    Node node = atom(depth);
    bool any = false;
    while (const auto found = quantifier()) {
      if (any) in_.fail("a quantifier behind another");
      any = true;
      const auto [least, most, braces] = *found;
      if (node.may_be_empty()) in_.fail("a quantifier behind what may match nothing");
      if (most != Node::kUnlimited && (most > kMost || least > most || most == 0))
        in_.fail("such numbers in a quantifier");
      if (least > kMost) in_.fail("such numbers in a quantifier");
      node = {.kind = Kind::repeat, .parts = {std::move(node)}, .least = least, .most = most};
      const bool exact = braces && least == most;
      if (!exact && in_.take("?")) {
        node.lazy = true;
      } else if (!braces && in_.take("+")) {
        node = {.kind = Kind::atomic, .parts = {std::move(node)}};
      }
    }
    return node;
  }

  struct Quantifier {
    std::uint32_t least, most;
    bool braces;
  };

  std::optional<Quantifier> quantifier() {
    if (in_.take("?")) return Quantifier{0, 1, false};
    if (in_.take("*")) return Quantifier{0, Node::kUnlimited, false};
    if (in_.take("+")) return Quantifier{1, Node::kUnlimited, false};
    if (!in_.take("{")) return std::nullopt;
    const auto least = in_.number();
    const bool comma = in_.take(",");
    const auto most = comma ? in_.number() : least;
    if (!in_.take("}") || (!least && !most)) in_.fail("a brace that is no quantifier");
    return Quantifier{least.value_or(0), most.value_or(Node::kUnlimited), true};
  }

  ExpressionReader in_;
};

}  // namespace

bool ExpressionNode::may_be_empty() const {
  const auto empty = [](const Node& node) { return node.may_be_empty(); };
  switch (kind) {
    case Kind::set:
      return false;
    case Kind::sequence:
      return std::ranges::all_of(parts, empty);
    case Kind::choice:
      return std::ranges::any_of(parts, empty);
    case Kind::repeat:
      return least == 0 || parts[0].may_be_empty();
    case Kind::atomic:
      return parts[0].may_be_empty();
    case Kind::look:
      return true;
  }
  return true;
}

CodePointSet ExpressionNode::first_characters() const {
  if (kind == Kind::set) return set;
  CodePointSet all;
  if (kind == Kind::look) return all;
  for (const Node& part : parts) {
    all.add(part.first_characters());
    if (kind == Kind::sequence && !part.may_be_empty()) break;
  }
  return all;
}

ExpressionNode parse_expression(std::string_view text, const std::string& source) {
  return Parser(text, source).whole();
}

}  // namespace mezo
