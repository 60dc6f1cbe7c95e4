#include "core/config/interval.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/config/spelling.h"

namespace mezo {
namespace {

std::optional<double> parse_end(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  const auto number = read_number(text);
  if (const double* value = std::get_if<double>(&number)) return *value;
  return std::nullopt;
}

}  // namespace

bool Interval::contains(double value) const {
  return (has_low ? value >= low : value > low) && (has_high ? value <= high : value < high);
}

std::string Interval::constraint(std::string_view name) const {
  const bool above = std::isfinite(low), below = std::isfinite(high);
  const char* high_sign = has_high ? "<=" : "<";
  if (above && below)
    return fmt::format("{} {} {} {} {}", low, has_low ? "<=" : "<", name, high_sign, high);
  if (above) return fmt::format("{} {} {}", name, has_low ? ">=" : ">", low);
  if (below) return fmt::format("{} {} {}", name, high_sign, high);
  return fmt::format("{} is finite", name);
}

std::optional<Interval> parse_interval(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (text.size() < 5 || comma == std::string_view::npos) return std::nullopt;
  const char first = text.front(), last = text.back();
  if ((first != '(' && first != '[') || (last != ')' && last != ']')) return std::nullopt;
  const auto low = parse_end(text.substr(1, comma - 1));
  const auto high = parse_end(text.substr(comma + 1, text.size() - comma - 2));
  if (!low || !high) return std::nullopt;
  const Interval result{*low, *high, first == '[', last == ']'};
  if ((result.has_low && std::isinf(*low)) || (result.has_high && std::isinf(*high)))
    return std::nullopt;
  const bool point = *low == *high && result.has_low && result.has_high;
  if (!(*low < *high) && !point) return std::nullopt;
  return result;
}

}  // namespace mezo
