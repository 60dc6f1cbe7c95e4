#include "core/text/pretokenize.h"

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

enum class Class { letter, number, space, other };

Class class_of(char32_t c) {
  if (is_letter(c)) return Class::letter;
  if (is_space(c)) return Class::space;
  if (is_number(c)) return Class::number;
  return Class::other;
}

// Where the run of one class that begins at `at` ends, and where its last character begins.
struct Run {
  std::size_t last, end;
};

Run run_of(std::string_view text, std::size_t at, Class wanted) {
  Run run{at, at};
  while (run.end < text.size()) {
    const CodePoint c = code_point_at(text, run.end);
    if (class_of(c.value) != wanted) break;
    run.last = run.end;
    run.end += c.length;
  }
  return run;
}

std::size_t contraction(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.substr(0, ending.size()) == ending) return ending.size();
  }
  return 0;
}

}  // namespace

std::size_t gpt2_piece(std::string_view text) {
  if (const std::size_t length = contraction(text)) return length;
  const std::size_t start = text[0] == ' ' && text.size() > 1 ? 1 : 0;
  const Class wanted = class_of(code_point_at(text, start).value);
  if (wanted != Class::space) return run_of(text, start, wanted).end;
  // White space gives its last character to the word that follows, unless it is all there is.
  const Run run = run_of(text, 0, Class::space);
  return run.end == text.size() || run.last == 0 ? run.end : run.last;
}

std::size_t digits_piece(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const CodePoint c = code_point_at(text, at);
    if (is_digit_piece(c.value)) return at == 0 ? c.length : at;
    at += c.length;
  }
  return at;
}

}  // namespace mezo
