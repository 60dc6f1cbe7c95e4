#pragma once
// Statistics and fuzzing run in a short form, long enough to find what is wrong; MEZO_LONG_TESTS=1 in the environment asks for the
// whole, whose figures the documentation quotes.

#include <cstdlib>
#include <string_view>

namespace mezo {

template <class T>
T short_or_long(T shorter, T whole) {
  const char* asked = std::getenv("MEZO_LONG_TESTS");
  return asked && std::string_view(asked) != "0" && *asked ? whole : shorter;
}

}  // namespace mezo
