#pragma once
// Which spellings of numbers and booleans a configuration accepts. One rule for every YAML reader's
// dialect: decimal numbers as in YAML 1.2 (12, -3, .5, 2e-5) and true/false; whatever two readers
// would understand differently (0123, 1_000, yes) is refused with the spelling to use instead.
// Reading is exact and independent of the locale.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/api.h"
#include "core/config/codes.h"

namespace mezo {

struct Refusal {
  Code code = Code::wrong_type;
  std::string message;  // continues "optimizer.epsilon ": "must be a number, got 'abc'"
  std::string hint;
};

// The nearest double. Refused: what is not a decimal number, inf and nan, and what overflows or
// underflows a double.
MEZO_API std::variant<double, Refusal> read_number(std::string_view text);

// A 64-bit integer. 1e3, 2.0 and 1.5e3 are accepted, because they are whole; 0.5 and 1e30 are not.
MEZO_API std::variant<std::int64_t, Refusal> read_integer(std::string_view text);

// true, True, TRUE and their opposites.
MEZO_API std::variant<bool, Refusal> read_boolean(std::string_view text);

// The shortest decimal that reads as this number again.
MEZO_API std::string shortest_spelling(double number);

// True for text that some YAML reader takes for a number, a boolean, a date or nothing when it is
// not quoted.
MEZO_API bool looks_typed(std::string_view text);

}  // namespace mezo
