#include "core/record/weight_hashes.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/io/sha256.h"

namespace mezo {

WeightHashing::WeightHashing(std::vector<std::string> files) : files_(std::move(files)) {
  constexpr std::size_t most = 4;  // more would only make the disk jump about
  for (std::size_t i = 0; i < std::min(most, files_.size()); ++i)
    threads_.push_back(std::async(std::launch::async, [this] { return some(); }));
}

WeightHashing::~WeightHashing() {
  given_up_ = true;
  for (const auto& thread : threads_)
    if (thread.valid()) thread.wait();
}

WeightHashes WeightHashing::some() {
  WeightHashes own;
  for (std::size_t i = next_++; i < files_.size() && !given_up_; i = next_++)
    own[std::filesystem::path(files_[i]).filename().string()] =
        sha256_of_file(files_[i], &given_up_);
  return own;
}

WeightHashes WeightHashing::get() {
  WeightHashes all;
  for (auto& thread : threads_) all.merge(thread.get());
  return all;
}

WeightHashes hash_weights(const std::vector<std::string>& files) {
  return WeightHashing(files).get();
}

}  // namespace mezo
