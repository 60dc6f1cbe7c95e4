#pragma once
// SHA-256 (FIPS 180-4), for naming the exact files that a run started from. The digest of a file is
// what `sha256sum` prints.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/api.h"

namespace mezo {

class MEZO_API Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  std::string hex();  // ends the message

 private:
  std::array<std::uint32_t, 8> state_ = {0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au,
                                         0x510E527Fu, 0x9B05688Cu, 0x1F83D9ABu, 0x5BE0CD19u};
  std::array<unsigned char, 64> rest_ = {};
  std::uint64_t size_ = 0;
};

// Of a whole file; throws ModelError when it cannot be mapped. What it returns is of no use once
// `given_up` was set, by another thread that wants no more of it.
MEZO_API std::string sha256_of_file(const std::filesystem::path& path,
                                    const std::atomic<bool>* given_up = nullptr);

}  // namespace mezo
