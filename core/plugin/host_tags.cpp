#include "core/plugin/host_tags.h"

#include "core/plugin/descriptor.h"

namespace mezo {

const HostTags& host_tags() {
  static const HostTags tags = {MEZO_ABI,           sizeof(mezo_plugin), MEZO_SDK,
                                MEZO_TORCH_TAG,     MEZO_COMPILER_TAG,   MEZO_CXX11_ABI_TAG,
                                MEZO_SANITIZER_TAG, MEZO_CUDA_TAG};
  return tags;
}

}  // namespace mezo
