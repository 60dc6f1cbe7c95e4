#include "core/io/json_text.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "core/error.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

constexpr int kMaxDepth = 32;

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  using nlohmann::json;
  // The lexer takes a NUL for the end of its input and would not look at what follows.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw ModelError(fmt::format("{}: expected JSON, got a NUL byte at byte {}", place, nul));
  }
  std::vector<std::set<std::string>> open_objects;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    // json::dump() recurses: a message about a value a million deep would overflow the stack.
    if (depth > kMaxDepth) {
      throw ModelError(
          fmt::format("{}: expected JSON nested at most {} deep, got more", place, kMaxDepth));
    }
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second) {
        throw ModelError(
            fmt::format("{}: expected each key once, got {} twice", place, quote(key)));
      }
    }
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::exception& error) {
    // The parser's text repeats bytes of the input; quote() keeps the message one printable line.
    throw ModelError(fmt::format("{}: expected valid JSON, got {}", place, quote(error.what())));
  }
}

}  // namespace mezo
