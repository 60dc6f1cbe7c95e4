#include "core/config/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/config/display.h"
#include "core/error.h"

namespace mezo {
namespace {

constexpr std::size_t most_shown = 50;

void add_excerpt(std::string& text, const Mark& mark) {
  if (!mark.source || mark.line < 1) return;
  const auto& lines = mark.source->lines;
  if (mark.line > static_cast<int>(lines.size())) return;
  const Excerpt shown_line = excerpt(lines[mark.line - 1], mark.column);
  text += fmt::format("  {}\n  {}\n", shown_line.line, shown_line.caret);
}

void add(std::string& text, const Diagnostic& d, std::string_view severity) {
  const std::string place = d.mark.place();
  if (!place.empty()) text += place + ": ";
  text += fmt::format("{}[{}]: {}\n", severity, id(d.code), d.message);
  add_excerpt(text, d.mark);
  if (d.related.source) {
    text += fmt::format("  {}: {}\n", d.related.place(), d.relation);
    std::string lines;
    add_excerpt(lines, d.related);
    text += lines;
  }
  if (!d.hint.empty()) text += fmt::format("  hint: {}\n", d.hint);
}

std::vector<const Diagnostic*> in_order(const std::vector<Diagnostic>& all) {
  std::vector<const Diagnostic*> result;
  for (const Diagnostic& d : all) result.push_back(&d);
  const auto key = [](const Diagnostic* d) {
    const Source* source = d->mark.source.get();
    return std::tuple(source ? source->argument : 0, source ? std::string_view(source->name) : "",
                      d->mark.line, d->mark.column);
  };
  std::stable_sort(result.begin(), result.end(),
                   [&](const Diagnostic* a, const Diagnostic* b) { return key(a) < key(b); });
  return result;
}

std::string render_all(const std::vector<Diagnostic>& all, std::string_view severity) {
  std::string text;
  std::size_t count = 0;
  for (const Diagnostic* d : in_order(all))
    if (count++ < most_shown) add(text, *d, severity);
  return text;
}

}  // namespace

void Diagnostics::error(Diagnostic diagnostic) { errors_.push_back(std::move(diagnostic)); }

void Diagnostics::error(Code code, Mark mark, std::string message, std::string hint) {
  errors_.push_back({code, std::move(mark), std::move(message), std::move(hint), {}, {}});
}

void Diagnostics::warning(Code code, Mark mark, std::string message, std::string hint) {
  warnings_.push_back({code, std::move(mark), std::move(message), std::move(hint), {}, {}});
}

std::string Diagnostics::render() const {
  if (errors_.empty()) return "";
  std::string text = render_all(errors_, "error");
  text += fmt::format("{} error{}", errors_.size(), errors_.size() == 1 ? "" : "s");
  if (errors_.size() > most_shown) text += fmt::format(", the first {} shown", most_shown);
  return text + "\n";
}

std::string Diagnostics::render_warnings() const { return render_all(warnings_, "warning"); }

void Diagnostics::throw_if_any() const {
  if (errors_.empty()) return;
  std::string text = render();
  text.pop_back();
  throw ConfigError(text);
}

}  // namespace mezo
