#pragma once
// The SHA-256 of each file that a run's weights are read from, computed by threads of its own while
// the weights are read: both wait for the same disk, and a processor hashes 0.3 to 2 GB a second.

#include <atomic>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "core/api.h"

namespace mezo {

using WeightHashes = std::map<std::string, std::string>;  // by the file's name, in hexadecimal

class MEZO_API WeightHashing {
 public:
  explicit WeightHashing(std::vector<std::string> files);
  // Gives up what is not done.
  ~WeightHashing();
  WeightHashing(const WeightHashing&) = delete;
  WeightHashing& operator=(const WeightHashing&) = delete;

  // Once: waits for all. Throws ModelError where a file cannot be read.
  WeightHashes get();

 private:
  WeightHashes some();

  const std::vector<std::string> files_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> given_up_ = false;
  std::vector<std::future<WeightHashes>> threads_;
};

// The same of files that nobody reads meanwhile.
MEZO_API WeightHashes hash_weights(const std::vector<std::string>& files);

}  // namespace mezo
