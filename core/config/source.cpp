#include "core/config/source.h"

#include <fmt/format.h>

namespace mezo {

std::string Mark::place() const {
  if (!source) return "";
  if (line == 0 || source->argument > 0) return source->name;
  return fmt::format("{}:{}:{}", source->name, line, column);
}

}  // namespace mezo
