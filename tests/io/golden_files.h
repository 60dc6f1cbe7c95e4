#pragma once
// The files that make_goldens.py wrote, as bytes. Used by the tests of this folder.

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/io/mapped_file.h"
#include "tests/scratch_folder.h"

namespace mezo {

using Bytes = std::vector<std::byte>;

inline std::filesystem::path golden(std::string_view name) {
  return std::filesystem::path(MEZO_SOURCE_DIR) / "tests/io/golden" / name;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw ModelError(path.string() + ": cannot open");
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline Bytes to_bytes(std::string_view text) {
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

// `text` as a file called `name` that exists in memory only.
inline std::shared_ptr<const MappedFile> in_memory(std::string name, std::string_view text) {
  return std::make_shared<const MappedFile>(std::move(name), to_bytes(text));
}

// What `act` throws of class E, as text; empty when it throws nothing. Other classes pass through
// and fail the test.
template <typename E, typename Act>
std::string message_of(Act&& act) {
  try {
    act();
  } catch (const E& error) {
    return error.what();
  }
  return {};
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace mezo
