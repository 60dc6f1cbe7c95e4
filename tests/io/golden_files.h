#pragma once
// The files that make_goldens.py wrote, as bytes, and a scratch folder to write others. Used by the
// tests of this folder.

#include <unistd.h>

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

// A folder that is gone when the object is.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mezo-io-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw RunError("cannot make a scratch folder");
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace mezo
