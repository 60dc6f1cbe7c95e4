#include "core/plugin/descriptor.h"

extern "C" __attribute__((visibility("default"))) const mezo_plugin* mezo_plugin_descriptor() {
  static const mezo_plugin plugin = {MEZO_ABI,
                                     sizeof(mezo_plugin),
                                     MEZO_SDK,
                                     MEZO_TORCH_TAG,
                                     MEZO_COMPILER_TAG,
                                     MEZO_CXX11_ABI_TAG,
                                     MEZO_SANITIZER_TAG,
                                     "",
                                     "empty",
                                     "1.0.0",
                                     "Has no component",
                                     "MIT",
                                     nullptr,
                                     0};
  return &plugin;
}
