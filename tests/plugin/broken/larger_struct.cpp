#include "core/plugin/descriptor.h"

struct larger_plugin {
  mezo_plugin plugin;
  const char* added;
};

extern "C" __attribute__((visibility("default"))) const mezo_plugin* mezo_plugin_descriptor() {
  static larger_plugin larger{};
  larger.plugin.abi = MEZO_ABI;
  larger.plugin.size = sizeof larger;
  return &larger.plugin;
}
