#include "core/train/batch_order.h"

#include <numeric>
#include <utility>

#include "core/zo/philox.h"

namespace mezo {

std::vector<std::uint32_t> permutation(std::uint64_t seed, std::uint32_t epoch, std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const PhiloxKey key = philox_key(seed, "batch order");
  for (std::uint32_t i = n; i > 1; --i) {
    const PhiloxBlock words = philox(philox_counter(i, epoch, 0, Purpose::order), key);
    // 64 random bits times i, the top word: uniform on 0 .. i up to 2^-32.
    const std::uint64_t bits = (std::uint64_t{words[0]} << 32) | words[1];
    const auto j = static_cast<std::uint32_t>((static_cast<unsigned __int128>(bits) * i) >> 64);
    std::swap(order[i - 1], order[j]);
  }
  return order;
}

BatchOrder::BatchOrder(std::uint64_t seed, std::uint32_t examples, std::uint32_t batch_size)
    : seed_(seed), examples_(examples), batch_size_(batch_size) {}

std::vector<std::uint32_t> BatchOrder::batch(std::uint64_t step) {
  std::vector<std::uint32_t> batch;
  for (std::uint64_t i = step * batch_size_; i < (step + 1) * batch_size_; ++i) {
    if (const std::uint64_t epoch = i / examples_; epoch != epoch_) {
      order_ = permutation(seed_, static_cast<std::uint32_t>(epoch), examples_);
      epoch_ = epoch;
    }
    batch.push_back(order_[i % examples_]);
  }
  return batch;
}

}  // namespace mezo
