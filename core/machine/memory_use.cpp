#include "core/machine/memory_use.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/machine/device.h"

namespace mezo {

std::string MemoryUse::text() const {
  const auto gigabytes = [](std::int64_t bytes) { return static_cast<double>(bytes) / 1e9; };
  // Scratch counts whole, and of it the system counts the pages that were written.
  const std::int64_t rest = std::max<std::int64_t>(0, peak - weights - scratch - moments);
  return fmt::format(
      "peak memory {:.2f} GB: weights {:.2f}, {} {:.2f}, {} {:.2f}", gigabytes(peak),
      gigabytes(weights), moments > 0 ? "gradients and moments" : "scratch of perturbed copies",
      gigabytes(moments > 0 ? moments : scratch),
      tensors_only ? "the rest (activations)" : "the rest (activations, code)", gigabytes(rest));
}

nlohmann::ordered_json MemoryUse::json() const {
  nlohmann::ordered_json json = {{"peak_memory_bytes", peak},
                                 {"weights_bytes", weights},
                                 {"scratch_bytes", scratch},
                                 {"device", device}};
  if (moments > 0) json["moments_bytes"] = moments;
  return json;
}

MemoryUse memory_use(at::Device device, std::int64_t weights, std::int64_t scratch) {
  const DeviceMemory memory = device_memory(device);
  return {memory.name, device.is_cuda(), memory.peak_bytes, weights, scratch, 0};
}

}  // namespace mezo
