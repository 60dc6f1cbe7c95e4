#include "core/plugin/descriptor.h"
#undef MEZO_TORCH_TAG
#define MEZO_TORCH_TAG "1.13.1"
#define ID "wrong_torch"
#include "tests/plugin/broken/plain.h"
