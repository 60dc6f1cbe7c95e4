#pragma once
// The one way to parse JSON from files that others wrote: no text is so deep that the stack ends,
// and what is wrong is said in words that a user can use, as an error of the caller's class.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

// Why `text` should not be given to a parser: nested more than 64 deep, a NUL byte. "" if it may.
MEZO_API std::string json_problem(std::string_view text);

// What the parser says, without its own name and in one printable line: "parse error at line 1,
// column 5: …".
MEZO_API std::string json_reason(const std::exception& error);

// The value of `text`; throws Failure with `place` in front (operation and file). Of a key that an
// object has twice the last counts, as it does for Python.
template <class Failure, class Json = nlohmann::json>
Json json_of(std::string_view text, const std::string& place) {
  if (const std::string problem = json_problem(text); !problem.empty())
    throw Failure(place + ": expected JSON, got " + problem);
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw Failure(place + ": expected JSON, got " + json_reason(error));
  }
}

// For the safetensors header and the shard index, whose formats forbid a key twice in one object.
// Throws ModelError.
nlohmann::json parse_json(std::string_view text, const std::string& place);

}  // namespace mezo
