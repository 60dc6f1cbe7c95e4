#pragma once
// Reads YAML into the tree of core/config/tree.h. Stricter than YAML on purpose: a configuration
// has one document whose keys are unique plain text, and tags, merge keys and anything that a
// reader might drop in silence are errors. Input is not trusted: its size, nesting and number of
// values (aliases counted as often as they are used) are bounded.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/api.h"
#include "core/config/diagnostics.h"
#include "core/config/tree.h"

namespace mezo {

inline constexpr std::size_t max_file_bytes = 1 << 20;
inline constexpr std::size_t max_values = 100'000;
inline constexpr int max_depth = 64;
inline constexpr std::size_t max_key_bytes = 256;

// The text of a file as a source called `name`; line ends become "\n" and a byte order mark is
// dropped. nullptr after an error, which is reported at `from` (the value that names the file) if
// it has a source, else at the file itself.
MEZO_API std::shared_ptr<const Source> read_source(const std::filesystem::path& path,
                                                   const std::string& name, const Mark& from,
                                                   Diagnostics& diagnostics);

// The tree of a whole file, whose top level must be a map. nullopt where it cannot be used at all;
// errors that leave the rest readable (a duplicate key: the first one counts) are only added to
// `diagnostics`.
MEZO_API std::optional<Value> parse_file(std::shared_ptr<const Source> source,
                                         Diagnostics& diagnostics);

// read_source() and parse_file() of a path as the user gave it: for task files and other YAML
// without `extends:`.
MEZO_API std::optional<Value> read_yaml(const std::string& path, Diagnostics& diagnostics);

// A value as it stands behind `key=` on the command line or in a parameter table: text beginning
// with [, {, " or ' is YAML in flow style; null, ~ are null; nothing is empty text; everything else
// is one plain scalar, kept as it is but for spaces around it (so `x=a: b # c` is text, and no
// alias, tag or block). The value is what follows the first `skip` bytes of the source's text.
MEZO_API std::optional<Value> parse_value(std::shared_ptr<const Source> source, std::size_t skip,
                                          Diagnostics& diagnostics);

}  // namespace mezo
