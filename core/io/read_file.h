#pragma once
// The one way to read a whole file that others wrote. Only a regular file of a sensible size is
// read: a pipe or a device would hang or never end.

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/api.h"

namespace mezo {

constexpr std::int64_t most_text = std::int64_t{1} << 20;  // a configuration
constexpr std::int64_t most_json = std::int64_t{1} << 28;  // a tokenizer, an index of shards

// Its bytes; or nothing, and in `problem` why: "cannot be read: No such file or directory", "is a
// folder", "is a pipe, and no regular file", "has 3000000 bytes, and at most 1048576 are read".
MEZO_API bool read_file(const std::filesystem::path& path, std::int64_t most, std::string& bytes,
                        std::string& problem);

// The same, thrown: Failure(before + path + " " + problem + after).
template <class Failure>
std::string read_file(const std::filesystem::path& path, std::int64_t most,
                      const std::string& before, const std::string& after = "") {
  std::string bytes, problem;
  if (!read_file(path, most, bytes, problem))
    throw Failure(before + path.string() + " " + problem + after);
  return bytes;
}

// What keeps a file from being read at all, without reading it; "" if nothing does.
MEZO_API std::string unreadable(const std::filesystem::path& path);

// Whether something of this name is there: a link that leads nowhere is, and reading it says so.
MEZO_API bool is_there(const std::filesystem::path& path);

}  // namespace mezo
