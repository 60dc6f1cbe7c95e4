#include "core/machine/machine.h"

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include "core/machine/device.h"
#include "core/version.h"

namespace mezo {

std::map<std::string, std::string> this_machine(at::Device device) {
  return {{"mezo", version_text},
          {"torch", TORCH_VERSION},
          {"device", device_memory(device).name},
          {"threads", std::to_string(at::get_num_threads())}};
}

}  // namespace mezo
