#pragma once
// A run as a process of its own: what it does to memory or to a GPU ends with it.

#include <functional>
#include <string>
#include <vector>

namespace mezo {

struct Ended {
  int code = 0;    // its exit code
  int signal = 0;  // or what killed it
};

// Runs this executable again with `arguments` (without its name), what it says appended to the file
// `log`. `meanwhile` is called several times a second. Signals that an Interrupt of the caller
// counts go on to the child, which is kept from a terminal's own; it is killed should this process
// die. Throws RunError where it cannot be started.
Ended run_child(const std::vector<std::string>& arguments, const std::string& log,
                const std::function<void()>& meanwhile);

}  // namespace mezo
