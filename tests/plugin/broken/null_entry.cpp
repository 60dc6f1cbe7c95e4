#include "core/plugin/descriptor.h"

extern "C" __attribute__((visibility("default"))) const mezo_plugin* mezo_plugin_descriptor() {
  return nullptr;
}
