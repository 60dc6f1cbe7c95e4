#include "core/io/json_text.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "core/error.h"
#include "core/io/quote.h"

namespace mezo {
namespace {

constexpr int most_deep = 64;

// Parsers and json::dump() recurse, so depth is counted before either sees the text.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > most_deep) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::string json_problem(std::string_view text) {
  // The lexer takes a NUL for the end of its input and would not look at what follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
    return fmt::format("a NUL byte at byte {}", nul);
  if (too_deep(text)) return fmt::format("one nested more than {} deep", most_deep);
  return "";
}

std::string json_reason(const std::exception& error) {
  std::string_view text = error.what();
  if (text.starts_with("[json.exception."))
    text.remove_prefix(std::min(text.size(), text.find("] ") + 2));
  // The text repeats bytes of the input.
  const std::string quoted = quote(text);
  return quoted.substr(1, quoted.size() - 2);
}

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  using nlohmann::json;
  if (const std::string problem = json_problem(text); !problem.empty())
    throw ModelError(place + ": expected JSON, got " + problem);
  std::vector<std::set<std::string>> open_objects;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second)
        throw ModelError(
            fmt::format("{}: expected each key once, got {} twice", place, quote(key)));
    }
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::exception& error) {
    throw ModelError(fmt::format("{}: expected valid JSON, got {}", place, json_reason(error)));
  }
}

}  // namespace mezo
