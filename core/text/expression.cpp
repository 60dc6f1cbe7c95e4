#include "core/text/expression.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace mezo {
namespace {

using Node = ExpressionNode;
using Kind = ExpressionNode::Kind;

constexpr std::size_t kLongest = 10'000;  // steps of a program
constexpr std::size_t kMostClasses = 1'000;
constexpr std::size_t kWork = 1'000;  // a byte

}  // namespace

Expression::Expression(std::string_view text, const std::string& source) : source_(source) {
  const Node whole = parse_expression(text, source);
  if (whole.may_be_empty())
    throw ModelError(fmt::format(
        "[tokenizer] {}: expected an expression that matches some text, got '{}', which may match "
        "nothing",
        source, text));
  if (whole.kind == Kind::choice) {
    for (const Node& part : whole.parts) add_branch(part);
  } else {
    add_branch(whole);
  }
}

// Each alternative is tried only where its first character is.
void Expression::add_branch(const Node& node) {
  const auto begin = static_cast<std::uint32_t>(program_.size());
  compile(node, false);
  put({.kind = Step::Kind::accept});
  const CodePointTable first(node.first_characters());
  for (int byte = 0; byte < 128; ++byte) {
    const char c = static_cast<char>(byte);
    if (first.match({&c, 1}, 0)) branches_[byte].push_back(begin);
  }
  const CodePointSet set = node.first_characters();
  if (!set.ranges().empty() && set.ranges().back().last >= 128) branches_[128].push_back(begin);
}

std::uint32_t Expression::put(Step step) {
  if (program_.size() == kLongest)
    throw ModelError(
        fmt::format("[tokenizer] {}: expected an expression of at most {} steps, got a longer one",
                    source_, kLongest));
  program_.push_back(step);
  return static_cast<std::uint32_t>(program_.size() - 1);
}

std::uint32_t Expression::table(const CodePointSet& set) {
  const auto found = std::ranges::find(sets_, set);
  const auto number = static_cast<std::uint32_t>(found - sets_.begin());
  if (found != sets_.end()) return number;
  if (sets_.size() == kMostClasses)
    throw ModelError(fmt::format(
        "[tokenizer] {}: expected an expression of at most {} different classes, got more", source_,
        kMostClasses));
  sets_.push_back(set);
  tables_.emplace_back(set);
  return number;
}

void Expression::compile(const Node& node, bool keeps) {
  switch (node.kind) {
    case Kind::set:
      put({.kind = Step::Kind::set, .table = table(node.set)});
      return;
    case Kind::sequence:
      for (const Node& part : node.parts) compile(part, false);
      return;
    case Kind::choice:
      return compile_choice(node);
    case Kind::repeat:
      return compile_repeat(node, keeps);
    case Kind::atomic:
    case Kind::look:
      return compile_inner(node);
  }
}

void Expression::compile_choice(const Node& node) {
  std::vector<std::uint32_t> ends;
  for (std::size_t i = 0; i < node.parts.size(); ++i) {
    const bool last = i + 1 == node.parts.size();
    const std::uint32_t split = last ? 0 : put({.kind = Step::Kind::split});
    compile(node.parts[i], false);
    if (last) break;
    ends.push_back(put({.kind = Step::Kind::jump}));
    program_[split].to = static_cast<std::uint32_t>(program_.size());
  }
  for (const std::uint32_t end : ends)
    program_[end].to = static_cast<std::uint32_t>(program_.size());
}

void Expression::compile_repeat(const Node& node, bool keeps) {
  const Node& part = node.parts[0];
  if (part.kind == Kind::set && !node.lazy) {
    put({.kind = Step::Kind::repeat,
         .keeps = keeps,
         .table = table(part.set),
         .least = node.least,
         .most = node.most});
    return;
  }
  for (std::uint32_t i = 0; i < node.least; ++i) compile(part, false);
  // A split goes on with the next step first; a lazy one jumps over the way that leaves.
  const auto choose = [&] {
    const std::uint32_t split = put({.kind = Step::Kind::split});
    if (!node.lazy) return split;
    const std::uint32_t leave = put({.kind = Step::Kind::jump});
    program_[split].to = static_cast<std::uint32_t>(program_.size());
    return leave;
  };
  const auto here = [&] { return static_cast<std::uint32_t>(program_.size()); };
  if (node.most == Node::kUnlimited) {
    const std::uint32_t loop = here();
    const std::uint32_t leave = choose();
    compile(part, false);
    put({.kind = Step::Kind::jump, .to = loop});
    program_[leave].to = here();
    return;
  }
  std::vector<std::uint32_t> leaves;
  for (std::uint32_t i = node.least; i < node.most; ++i) {
    leaves.push_back(choose());
    compile(part, false);
  }
  for (const std::uint32_t leave : leaves) program_[leave].to = here();
}

// A program of its own: what it could have done otherwise is forgotten when it ends.
void Expression::compile_inner(const Node& node) {
  const Node& part = node.parts[0];
  const bool is_class = part.kind == Kind::repeat && part.parts[0].kind == Kind::set && !part.lazy;
  if (node.kind == Kind::atomic && is_class) return compile(part, true);
  const bool look = node.kind == Kind::look;
  const std::uint32_t begin =
      put({.kind = look ? Step::Kind::look : Step::Kind::atomic, .negated = node.negated});
  compile(part, false);
  put({.kind = Step::Kind::accept});
  program_[begin].to = static_cast<std::uint32_t>(program_.size());
}

Expression::Search::Search(const Expression& expression, std::string_view text)
    : expression_(expression), text_(text), work_left_(kWork * (text.size() + 1'000)) {}

void Expression::Search::spend(std::size_t work) {
  if (work > work_left_)
    throw DataError(
        fmt::format("the expression by which {} cuts text takes too long on a text of {} bytes",
                    expression_.source_, text_.size()));
  work_left_ -= work;
}

std::optional<Expression::Match> Expression::Search::next() {
  while (at_ < text_.size()) {
    const auto byte = static_cast<unsigned char>(text_[at_]);
    for (const std::uint32_t branch : expression_.branches_[std::min<int>(byte, 128)]) {
      if (const auto end = run(branch, at_)) {
        const Match match{at_, *end};
        at_ = *end;
        return match;
      }
    }
    do ++at_;
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0) == 0x80);
  }
  return std::nullopt;
}

// Where the match of the program from `step` on ends.
std::optional<std::size_t> Expression::Search::run(std::uint32_t step, std::size_t at) {
  const std::size_t floor = ways_.size();
  while (expression_.program_[step].kind != Step::Kind::accept) {
    spend(1);
    if (!advance(step, at) && !turn_back(floor, step, at)) return std::nullopt;
  }
  ways_.resize(floor);
  return at;
}

// One step; false where it does not fit.
bool Expression::Search::advance(std::uint32_t& step, std::size_t& at) {
  const Step& now = expression_.program_[step];
  switch (now.kind) {
    case Step::Kind::set: {
      const std::size_t length =
          at < text_.size() ? expression_.tables_[now.table].match(text_, at) : 0;
      at += length;
      ++step;
      return length > 0;
    }
    case Step::Kind::repeat:
      return repeat(step, at);
    case Step::Kind::split:
      ways_.push_back({now.to, at, at});
      ++step;
      return true;
    case Step::Kind::jump:
      step = now.to;
      return true;
    case Step::Kind::atomic:
    case Step::Kind::look: {
      const auto end = run(step + 1, at);
      const bool look = now.kind == Step::Kind::look;
      if (end && !look) at = *end;
      step = now.to;
      return end.has_value() != now.negated;
    }
    case Step::Kind::accept:
      break;
  }
  return true;
}

// As many characters of a class as there are; those above the least number can be given back.
bool Expression::Search::repeat(std::uint32_t& step, std::size_t& at) {
  const Step& now = expression_.program_[step];
  const CodePointTable& table = expression_.tables_[now.table];
  std::uint32_t count = 0;
  std::size_t low = at;
  for (; count < now.most && at < text_.size(); ++count) {
    const std::size_t length = table.match(text_, at);
    if (length == 0) break;
    at += length;
    if (count < now.least) low = at;
  }
  spend(count);
  ++step;
  if (count < now.least) return false;
  if (at > low && !now.keeps) ways_.push_back({step, at, low});
  return true;
}

bool Expression::Search::turn_back(std::size_t floor, std::uint32_t& step, std::size_t& at) {
  if (ways_.size() == floor) return false;
  Way& way = ways_.back();
  step = way.step;
  if (way.at > way.low) {
    do --way.at;
    while ((static_cast<unsigned char>(text_[way.at]) & 0xC0) == 0x80);
    at = way.at;
    if (way.at == way.low) ways_.pop_back();
    return true;
  }
  at = way.at;
  ways_.pop_back();
  return true;
}

}  // namespace mezo
