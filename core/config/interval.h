#pragma once
// The range of a numeric setting, written as mathematicians do: "(0, inf)", "[1, 65536]", "[0, 1)".

#include <optional>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

struct Interval {
  double low = 0;
  double high = 0;
  bool has_low = true;  // the end itself belongs to the interval
  bool has_high = true;

  MEZO_API bool contains(double value) const;

  // "epsilon > 0", "1 <= rank <= 65536"; an infinite end is left out.
  MEZO_API std::string constraint(std::string_view name) const;
};

// nullopt for text in another form, for an infinite end with a square bracket and for an empty
// interval.
MEZO_API std::optional<Interval> parse_interval(std::string_view text);

}  // namespace mezo
