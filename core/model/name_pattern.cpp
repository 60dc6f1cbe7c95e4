#include "core/model/name_pattern.h"

namespace mezo {

// After a mismatch the last star takes one character more.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = pattern.npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != pattern.npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

bool matches_module(std::string_view pattern, std::string_view module) {
  if (pattern.find('*') != pattern.npos || module.size() <= pattern.size())
    return matches(pattern, module);
  return module.ends_with(pattern) && module[module.size() - pattern.size() - 1] == '.';
}

}  // namespace mezo
