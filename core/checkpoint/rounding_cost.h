#pragma once
// From fp32 weights to the bytes of a file, and what that costs. Rounding is to nearest, ties to
// even (core/io/float16.h). A change that training made is often smaller than half a step of a
// 16-bit type, and then the file holds the old weight: so the cost is measured against the change
// too.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/api.h"
#include "core/io/dtype.h"

namespace mezo {

// Sums over the weights written; figures are over all of them, those written in fp32 too.
struct MEZO_API RoundingCost {
  std::int64_t weights = 0;
  std::int64_t narrowed = 0;  // weights written in 16 bits
  std::int64_t changed = 0;   // differ from the base file's
  std::int64_t lost = 0;      // of these: what is written is what the base's would have become
  double weight_squares = 0, error_squares = 0, change_squares = 0;

  // RMS of (written - weight) over RMS of the weights, and over RMS of (weight - base); 0 where
  // there is nothing to divide by.
  double error_over_weights() const;
  double error_over_change() const;
  double lost_share() const;  // of the changed weights

  // One line without an end: "rounding: RMS error 1.66e-03 of the weights', 4.12e-01 of the
  // change's; 12.3% of the changed weights are as before".
  std::string text() const;
};

// Writes `weights` as `dtype` (F32, F16 or BF16) into `out`, bytes_of(dtype, weights.size()) of
// them, and adds to `cost`; `base` are the weights before training, as many. Sums are in fp64 in an
// order that does not depend on the number of threads. Throws RunError that names `tensor` where a
// weight is not finite or does not fit the type.
void write_rounded(std::span<const float> weights, std::span<const float> base, DType dtype,
                   std::span<std::byte> out, RoundingCost& cost, const std::string& tensor);

}  // namespace mezo
