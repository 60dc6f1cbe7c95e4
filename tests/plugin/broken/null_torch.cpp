#include "core/plugin/descriptor.h"
#undef MEZO_TORCH_TAG
#define MEZO_TORCH_TAG nullptr
#define ID "null_torch"
#include "tests/plugin/broken/plain.h"
