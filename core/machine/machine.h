#pragma once
// What the bits of a forward depend on beside the model and the data. A resumed run that finds
// itself elsewhere goes on correctly, but not to the same bits; it says so.

#include <c10/core/Device.h>

#include <map>
#include <string>

namespace mezo {

// "mezo", "torch": versions; "device", "threads": what computes.
std::map<std::string, std::string> this_machine(at::Device device);

}  // namespace mezo
