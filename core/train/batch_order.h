#pragma once
// The order in which training examples are seen: a pinned permutation of 0 .. n for each (seed,
// epoch), drawn from Philox, so that a run can be repeated or resumed from its seed alone on any
// machine.

#include <cstdint>
#include <vector>

#include "core/api.h"

namespace mezo {

// A uniformly random permutation of 0 .. n (Fisher-Yates). n < 2^32.
MEZO_API std::vector<std::uint32_t> permutation(std::uint64_t seed, std::uint32_t epoch,
                                                std::uint32_t n);

// The examples of batch `step` (from 0): positions step * size … of the epochs' permutations laid
// end to end.
class MEZO_API BatchOrder {
 public:
  BatchOrder(std::uint64_t seed, std::uint32_t examples, std::uint32_t batch_size);
  std::vector<std::uint32_t> batch(std::uint64_t step);

 private:
  std::uint64_t seed_;
  std::uint32_t examples_, batch_size_;
  std::uint64_t epoch_ = ~std::uint64_t{0};
  std::vector<std::uint32_t> order_;
};

}  // namespace mezo
