#pragma once
// The GPU that tests compare with the CPU.

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "core/error.h"
#include "core/machine/device.h"

namespace mezo {

// Nothing, and a word of why the case is skipped, where there is none.
inline std::optional<at::Device> gpu() {
  try {
    return open_device("cuda");
  } catch (const RunError& e) {
    MESSAGE("skipped: ", std::string(e.what()));
    return std::nullopt;
  }
}

}  // namespace mezo
