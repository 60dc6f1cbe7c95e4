#pragma once
// What this host was built with: the other half of the comparison that core/plugin/descriptor.h
// describes. The values come from the same macros as a plugin's, compiled into the host library.

#include <cstdint>
#include <string>

#include "core/api.h"

namespace mezo {

struct HostTags {
  std::uint32_t abi = 0;
  std::uint32_t size = 0;
  std::uint32_t sdk = 0;
  std::string torch;  // "none" for a host without torch, which takes only plugins without torch
  std::string compiler;
  std::string cxx11_abi;
  std::string sanitizer;
  std::string cuda;
};

MEZO_API const HostTags& host_tags();

}  // namespace mezo
