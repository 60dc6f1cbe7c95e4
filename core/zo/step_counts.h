#pragma once
// What a run counts of its steps, in training and in the replay of a resume alike.

#include <algorithm>
#include <cstdint>
#include <span>

namespace mezo {

// Whether there are projected gradients and all are exactly 0: no perturbation changed the loss.
inline bool saw_no_difference(std::span<const float> projected_gradients) {
  return !projected_gradients.empty() &&
         std::ranges::all_of(projected_gradients, [](float g) { return g == 0; });
}

struct StepCounts {
  std::uint32_t unapplied = 0;      // steps that applied nothing
  std::uint32_t no_difference = 0;  // steps that saw none

  void add(bool applied, std::span<const float> projected_gradients) {
    unapplied += applied ? 0 : 1;
    no_difference += saw_no_difference(projected_gradients) ? 1 : 0;
  }
};

}  // namespace mezo
