#include "core/text/pattern.h"

namespace mezo {
namespace {

// Tells what `next` finds, and what lies between.
template <class Next>
void tell_stretches(std::string_view text, const Pattern::Stretch& tell, Next next) {
  std::size_t done = 0;
  while (const auto match = next()) {
    if (match->begin > done) tell(text.substr(done, match->begin - done), false);
    tell(text.substr(match->begin, match->end - match->begin), true);
    done = match->end;
  }
  if (done < text.size()) tell(text.substr(done), false);
}

}  // namespace

Pattern::Pattern(const PatternSpec& spec, const std::string& source) : literal_(spec.text) {
  if (spec.is_expression) expression_ = std::make_shared<const Expression>(spec.text, source);
}

void Pattern::cut(std::string_view text, const Stretch& tell) const {
  if (expression_) {
    Expression::Search search(*expression_, text);
    return tell_stretches(text, tell, [&] { return search.next(); });
  }
  std::size_t at = 0;
  tell_stretches(text, tell, [&]() -> std::optional<Expression::Match> {
    const std::size_t found = literal_.empty() ? std::string_view::npos : text.find(literal_, at);
    if (found == std::string_view::npos) return std::nullopt;
    at = found + literal_.size();
    return Expression::Match{found, at};
  });
}

std::string replace_all(const Pattern& pattern, std::string_view content, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  pattern.cut(text,
              [&](std::string_view stretch, bool matches) { out += matches ? content : stretch; });
  return out;
}

}  // namespace mezo
