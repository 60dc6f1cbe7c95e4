#pragma once
// The bytes of a weight file, mapped read-only: opening 26 GB costs no memory and no reading until
// a tensor is touched. Used by the loaders, which share one MappedFile among all tensor views of
// it. The file must not shrink while it is mapped (the system answers with SIGBUS); the writers of
// this folder replace files by rename, which is safe.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

class MEZO_API MappedFile {
 public:
  // Maps `path`; throws ModelError, with the system's reason, when it is missing, unreadable, empty
  // or not a regular file.
  explicit MappedFile(const std::filesystem::path& path);

  // The same view over bytes in memory, called `name` in messages. A sanitizer sees one byte read
  // past the end of these, which it does not within a mapped page.
  MappedFile(std::string name, std::vector<std::byte> bytes);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  // Whoever calls will soon read `part`: lets the system fetch it meanwhile.
  void expect(std::span<const std::byte> part) const;

  // Gives back the memory that pages within `part` of bytes() take, which stays readable: the next
  // look reads the file again. For who reads a file once, from one end to the other, and wants no
  // second copy of it. Bytes in memory stay.
  void release(std::span<const std::byte> part) const;

 private:
  std::string path_;
  std::vector<std::byte> owned_;
  std::span<const std::byte> bytes_;
  bool mapped_ = false;
};

}  // namespace mezo
