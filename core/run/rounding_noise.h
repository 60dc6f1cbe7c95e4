#pragma once
// What it costs to keep weights in plain bfloat16 while they train. Updates are rounded at random,
// so that on average nothing is lost, but each rounding is a small random step of its own and these
// add up. A run that asks for it is told how much to expect.

#include <string>

#include "core/api.h"
#include "core/zo/schedule.h"

namespace mezo {

// RMS of the error over RMS of the weights after `steps` updates of lr * |g| = `step_size` each,
// for weights of N(0, 0.02). It grows as the square root of both until an update is as large as a
// weight's last bit, from where on a larger one rounds no worse; within a fifth of what is measured
// (tests/run/test_rounding_noise.cpp).
MEZO_API double bfloat16_noise(double steps, double step_size);

// A warning for the user, in the numbers of this run, without an end of line.
MEZO_API std::string bfloat16_warning(const Schedule& schedule);

}  // namespace mezo
