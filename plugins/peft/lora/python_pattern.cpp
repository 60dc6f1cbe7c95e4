#include "plugins/peft/lora/python_pattern.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "core/error.h"

namespace lora {

namespace {

// Longer ones are no names of modules, and the standard library recurses once a group.
constexpr std::size_t longest = 4096;
// Each that is inside of another multiplies the time that a match takes.
constexpr std::size_t most_lookaheads = 4;

std::size_t lookaheads(std::string_view p) {
  std::size_t count = 0;
  for (std::size_t i = 0; (i = p.find("(?", i)) != p.npos; i += 2)
    count += p.substr(i).starts_with("(?=") || p.substr(i).starts_with("(?!");
  return count;
}

// The first part of a pattern that Python reads and ECMAScript does not, or otherwise; or nothing.
std::string_view not_shared(std::string_view p) {
  for (std::size_t i = 0; i < p.size(); ++i) {
    const std::string_view rest = p.substr(i);
    if (rest.size() > 1 && rest[0] == '\\') {
      const auto c = static_cast<unsigned char>(rest[1]);
      if (std::isalnum(c) && std::string_view("dwsDWSbB").find(rest[1]) == rest.npos)
        return rest.substr(0, 2);
      ++i;
      continue;
    }
    // Groups with names, flags and looks behind; classes that begin with their end, or are named;
    // repetitions that give nothing back, or have no lower bound.
    if (rest.starts_with("(?") &&
        std::string_view(":=!").find(p[std::min(i + 2, p.size() - 1)]) == std::string_view::npos)
      return rest.substr(0, 3);
    for (const char* part : {"[]", "[^]", "[[", "++", "*+", "?+", "}+", "{,"})
      if (rest.starts_with(part)) return rest.substr(0, std::string_view(part).size());
  }
  return {};
}

}  // namespace

std::regex python_pattern(const std::string& around, const std::string& pattern,
                          const std::string& place) {
  const auto refuse = [&](const std::string& why) {
    return mezo::ModelError(place + ": the pattern '" + pattern.substr(0, 200) +
                            "' cannot be read (" + why + "); write the names of the modules");
  };
  if (pattern.size() > longest) throw refuse("it is too long");
  if (const std::string_view part = not_shared(pattern); !part.empty())
    throw refuse("'" + std::string(part) + "' in it");
  if (lookaheads(pattern) > most_lookaheads) throw refuse("it looks ahead too often");
  std::string whole = around;
  whole.replace(whole.find('$'), 1, pattern);
  try {
    // All ways at once instead of one after the other: no pattern takes time without end.
    return std::regex(whole, std::regex::ECMAScript | std::regex_constants::__polynomial);
  } catch (const std::regex_error& e) {
    throw refuse(e.code() == std::regex_constants::error_space ? "it is too large"
                                                               : "it is no regular expression");
  }
}

}  // namespace lora
