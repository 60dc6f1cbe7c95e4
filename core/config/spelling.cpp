#include "core/config/spelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <optional>

#include "core/config/display.h"

namespace mezo {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// +-digits * 10^exponent.
struct Decimal {
  bool negative = false;
  std::string digits;  // without leading zeros; empty for zero
  long exponent = 0;
};

// [-+]? (digits [. digits*] | . digits) ([eE] [-+]? digits)?
std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal result;
  std::size_t i = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) result.negative = text[i++] == '-';
  std::size_t count = 0;
  const auto take = [&](bool fraction) {
    for (; i < text.size() && digit(text[i]); ++i, ++count) {
      if (text[i] != '0' || !result.digits.empty()) result.digits += text[i];
      if (fraction) --result.exponent;
    }
  };
  take(false);
  if (i < text.size() && text[i] == '.') {
    ++i;
    take(true);
  }
  if (count == 0) return std::nullopt;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && text[i] == '+' && text.substr(i + 1).find('-') != 0) ++i;
    long exponent = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), exponent);
    if (error == std::errc::invalid_argument) return std::nullopt;
    // A million is beyond every type; clamping keeps the arithmetic below from overflowing.
    if (error == std::errc::result_out_of_range) exponent = text[i] == '-' ? -1000000 : 1000000;
    result.exponent += std::clamp(exponent, -1000000L, 1000000L);
    i = end - text.data();
  }
  if (i != text.size()) return std::nullopt;
  return result;
}

std::string without(std::string_view text, char removed) {
  std::string result(text);
  std::erase(result, removed);
  return result;
}

// What is wrong with text that some reader would take for a number.
std::optional<Refusal> refuse_lookalike(std::string_view text) {
  const std::string low = lowered(text);
  std::string_view bare = low;
  if (!bare.empty() && (bare[0] == '-' || bare[0] == '+')) bare.remove_prefix(1);
  const auto refuse = [&](std::string_view why, std::string hint) {
    return Refusal{Code::bad_number, fmt::format("{}, got {}", why, shown(text)), std::move(hint)};
  };
  if (bare == ".inf" || bare == "inf" || bare == "infinity" || bare == ".nan" || bare == "nan")
    return refuse("must be a finite number", "");
  if (bare.size() > 2 && bare[0] == '0' && (bare[1] == 'x' || bare[1] == 'o' || bare[1] == 'b'))
    return refuse("must be a decimal number", "hexadecimal, octal and binary are not read here");
  for (const char separator : {'_', ','}) {
    const std::string plain = without(text, separator);
    if (plain.size() != text.size() && parse_decimal(plain) && digit(bare[0]))
      return refuse("must be a number without separators", fmt::format("write {}", plain));
  }
  if (bare.size() > 1 && bare[0] == '0' && digit(bare[1]) && parse_decimal(text)) {
    std::string plain(text.substr(0, text.size() - bare.size()));
    const std::size_t first = std::min(bare.find_first_not_of('0'), bare.size() - 1);
    plain += bare.substr(digit(bare[first]) ? first : first - 1);
    return refuse("must not begin with a zero",
                  fmt::format("some YAML readers take this for octal; write {}", plain));
  }
  return std::nullopt;
}

Refusal not_a(std::string_view what, std::string_view text) {
  return {Code::wrong_type, fmt::format("must be {}, got {}", what, shown(text)), ""};
}

}  // namespace

std::variant<double, Refusal> read_number(std::string_view text) {
  if (auto refusal = refuse_lookalike(text)) return *refusal;
  const auto decimal = parse_decimal(text);
  if (!decimal) return not_a("a number", text);
  if (decimal->digits.empty()) return decimal->negative ? -0.0 : 0.0;
  double value = 0;
  const std::string_view digits = text[0] == '+' ? text.substr(1) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size())
    return Refusal{
        Code::bad_number,
        fmt::format("is too large or too small for a 64-bit number, got {}", shown(text)), ""};
  return value;
}

std::variant<std::int64_t, Refusal> read_integer(std::string_view text) {
  if (auto refusal = refuse_lookalike(text)) return *refusal;
  auto decimal = parse_decimal(text);
  if (!decimal) return not_a("an integer", text);
  while (decimal->exponent < 0 && decimal->digits.ends_with('0')) {
    decimal->digits.pop_back();
    ++decimal->exponent;
  }
  if (decimal->digits.empty()) return 0;
  if (decimal->exponent < 0) return not_a("an integer", text);
  if (decimal->digits.size() + decimal->exponent <= 19) {
    std::string digits = (decimal->negative ? "-" : "") + decimal->digits;
    digits.append(decimal->exponent, '0');
    std::int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec == std::errc())
      return value;
  }
  return Refusal{Code::bad_number,
                 fmt::format("must be an integer of at most 64 bits, got {}", shown(text)), ""};
}

std::variant<bool, Refusal> read_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  Refusal refusal = not_a("true or false", text);
  const std::string low = lowered(text);
  if (low == "yes" || low == "on" || low == "y" || low == "1") refusal.hint = "write true";
  if (low == "no" || low == "off" || low == "n" || low == "0") refusal.hint = "write false";
  return refusal;
}

std::string shortest_spelling(double number) {
  char text[32];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, number);
    if (std::stod(text) == number) break;
  }
  return text;
}

bool looks_typed(std::string_view text) {
  static constexpr std::string_view words[] = {"",    "~",   "null", "true",    "false",
                                               "yes", "no",  "on",   "off",     "y",
                                               "n",   "inf", "nan",  "infinity"};
  const std::string low = lowered(text);
  if (std::find(std::begin(words), std::end(words), low) != std::end(words)) return true;
  // Numbers of any base, dates and times all begin like this.
  return digit(text[0]) || text[0] == '.' || text[0] == '+' || text[0] == '-';
}

}  // namespace mezo
