#include "core/text/expression_class.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text/utf8.h"

namespace mezo {

void ExpressionReader::fail(const char* what) const {
  throw ModelError(
      fmt::format("[tokenizer] {}: expected an expression that is known here, got one with {}, "
                  "before byte {} of '{}'",
                  source_, what, at_, text_));
}

bool ExpressionReader::take(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

std::optional<std::uint32_t> ExpressionReader::number() {
  std::optional<std::uint32_t> value;
  for (; !done() && peek() >= '0' && peek() <= '9'; ++at_) {
    value = value.value_or(0) * 10 + (peek() - '0');
    if (*value > 100'000) fail("such numbers in a quantifier");
  }
  return value;
}

char32_t ExpressionReader::code_point() {
  if (done()) fail("an end where a character should be");
  const CodePoint c = code_point_at(text_, at_);
  if (!c.valid) fail("bytes that are not UTF-8");
  at_ += c.length;
  return c.value;
}

// The other case of ASCII's letters, and the two that fold to one of them.
CodePointSet ExpressionReader::literal(char32_t first, char32_t last) const {
  CodePointSet set;
  set.add(first, last);
  if (!ignores_case) return set;
  if (last >= 0x80) fail("a character beyond ASCII that ignores case");
  for (char32_t c = first; c <= last; ++c) {
    const char32_t low = c | 0x20;
    if (low < U'a' || low > U'z') continue;
    set.add(c ^ 0x20, c ^ 0x20);
    if (low == U's') set.add(0x17F, 0x17F);
    if (low == U'k') set.add(0x212A, 0x212A);
  }
  return set;
}

CodePointSet ExpressionReader::character() {
  if (take(".")) {
    CodePointSet newline;
    newline.add('\n', '\n');
    return newline.complement();
  }
  if (take("^") || take("$")) fail("an anchor");
  if (take("{") || take("*") || take("+") || take("?")) fail("a quantifier behind nothing");
  const Item one = item();
  return one.point ? literal(*one.point, *one.point) : one.set;
}

ExpressionReader::Item ExpressionReader::item() {
  if (take("\\")) return escape();
  return {{}, code_point()};
}

ExpressionReader::Item ExpressionReader::escape() {
  const char32_t c = code_point();
  const CodePointSet spaces(space_ranges()), digits(ranges_of(*categories_named("Nd")));
  switch (c) {
    case U's':
      return {spaces, {}};
    case U'S':
      return {spaces.complement(), {}};
    case U'd':
      return {digits, {}};
    case U'D':
      return {digits.complement(), {}};
    case U'p':
      return {property(false), {}};
    case U'P':
      return {property(true), {}};
    case U'n':
      return {{}, U'\n'};
    case U'r':
      return {{}, U'\r'};
    case U't':
      return {{}, U'\t'};
    case U'f':
      return {{}, U'\f'};
    case U'v':
      return {{}, U'\v'};
    case U'a':
      return {{}, U'\a'};
    case U'e':
      return {{}, 0x1B};
    case U'x':
    case U'u':
      --at_;
      return {{}, hexadecimal()};
    default:
      break;
  }
  const bool is_word = (c >= U'0' && c <= U'9') || ((c | 0x20) >= U'a' && (c | 0x20) <= U'z');
  if (c >= 0x80 || is_word) fail("this escape");
  return {{}, c};
}

// \x41, \x{1F600}, \u00e9.
char32_t ExpressionReader::hexadecimal() {
  const bool four = take("u");
  if (!four) take("x");
  const bool braces = !four && take("{");
  const std::size_t most = four ? 4 : braces ? 6 : 2;
  char32_t value = 0;
  std::size_t count = 0;
  for (; count < most && !done() && std::isxdigit(static_cast<unsigned char>(peek())); ++count) {
    const char digit = peek();
    value = value * 16 + (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    ++at_;
  }
  const bool complete = braces ? count > 0 && take("}") : count == most;
  if (!complete || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000) ||
      (value >= 0x80 && most == 2))
    fail("this escape");
  return value;
}

CodePointSet ExpressionReader::property(bool outside) {
  if (!take("{")) fail("\\p without braces");
  if (take("^")) outside = !outside;
  const std::size_t end = text_.find('}', at_);
  if (end == std::string_view::npos) fail("\\p without an end");
  const auto categories = categories_named(text_.substr(at_, end - at_));
  if (!categories) fail("a property that is no general category");
  if (ignores_case) fail("a category that ignores case");
  at_ = end + 1;
  const CodePointSet set(ranges_of(*categories));
  return outside ? set.complement() : set;
}

CodePointSet ExpressionReader::bracket() {
  if (++depth_ > 50) fail("classes this deep");
  const bool outside = take("^");
  if (take("]")) fail("a class that begins with its end");
  CodePointSet all;
  while (!take("]")) {
    if (done()) fail("a class without an end");
    if (take("&&")) fail("an intersection of classes");
    if (take("[:")) fail("a class by a POSIX name");
    if (take("[")) {
      all.add(bracket());
      continue;
    }
    const Item first = item();
    const bool range = !done() && peek() == '-' && !text_.substr(at_).starts_with("-]");
    if (!range) {
      all.add(first.point ? literal(*first.point, *first.point) : first.set);
      continue;
    }
    take("-");
    if (peek() == '[') fail("a range that ends with a class");
    const Item last = item();
    if (!first.point || !last.point || *last.point < *first.point) fail("a range of this kind");
    all.add(literal(*first.point, *last.point));
  }
  --depth_;
  return outside ? all.complement() : all;
}

}  // namespace mezo
