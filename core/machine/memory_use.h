#pragma once
// Where a run's memory went, at its highest: for the line that a run ends with and for result.json.

#include <c10/core/Device.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/api.h"

namespace mezo {

struct MEZO_API MemoryUse {
  std::string device;         // "NVIDIA H200", or the CPU's name
  bool tensors_only = false;  // a GPU's peak, of which code and libraries are no part
  std::int64_t peak = 0;      // CPU: resident in the process
  std::int64_t weights = 0;   // as they are stored
  std::int64_t scratch = 0;   // perturbed copies of whole matrices
  std::int64_t moments = 0;   // and gradients, of a first-order optimizer

  // "peak memory 1.23 GB: weights 0.54, scratch of perturbed copies 0.01, the rest (activations,
  // code) 0.68", without an end of line.
  std::string text() const;

  // {"peak_memory_bytes", "weights_bytes", "scratch_bytes", "device"}, and "moments_bytes" where
  // there are any.
  nlohmann::ordered_json json() const;
};

// As it is now, on this device; `weights` and `scratch` (ExactWeights::scratch_bytes(), 0 where
// nothing trained) are bytes.
MEZO_API MemoryUse memory_use(at::Device device, std::int64_t weights, std::int64_t scratch);

}  // namespace mezo
