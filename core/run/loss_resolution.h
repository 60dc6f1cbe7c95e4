#pragma once
// A run's warning, after its first steps, that the two losses of a step differ by no more than what
// rounding leaves of a loss: the projected gradients are then noise, whatever the weights hold of
// the perturbation (core/run/lost_perturbations.h).

#include <span>
#include <string>

#include "core/api.h"

namespace mezo {

struct Slope {
  double loss = 0;
  double gradient = 0;  // projected
};

// Nothing where more than half of the differences epsilon |g| are above 16 spacings of float32 at
// the loss (at 1, if it is smaller: losses are differences of such numbers). Gradients that are
// exactly 0, as objectives that count have them, do not count. At least 8 are asked for.
MEZO_API std::string lost_in_the_loss(std::span<const Slope> slopes, double epsilon);

}  // namespace mezo
