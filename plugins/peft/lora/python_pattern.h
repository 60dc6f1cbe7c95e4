#pragma once
// A regular expression as Python's re reads it, which adapter_config.json is full of. The standard
// library reads ECMAScript's: what the two read differently is refused, so that no pattern means
// something else here.

#include <regex>
#include <string>

namespace lora {

// `around`, in which $ stands for the pattern: "(.*\\.)?($)". Throws ModelError, which begins with
// `place`, for a pattern that cannot be read.
std::regex python_pattern(const std::string& around, const std::string& pattern,
                          const std::string& place);

}  // namespace lora
