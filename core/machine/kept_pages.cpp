#include "core/machine/kept_pages.h"

#include <malloc.h>

namespace mezo {

void keep_freed_pages() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace mezo
