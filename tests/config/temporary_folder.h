#pragma once
// Files that tests write, in a folder of their own that is removed at the end.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

struct TemporaryFolder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("mezo-test-config-" + std::to_string(getpid()));
  TemporaryFolder() { std::filesystem::create_directories(path); }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }

  // Returns the path of the file written.
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    // Truncating an existing file makes some file systems wait for the disk; a new one does not.
    std::filesystem::remove(path / name);
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }
};
