#include "core/plugin/descriptor.h"
#undef MEZO_SANITIZER_TAG
#define MEZO_SANITIZER_TAG "memory"
#define ID "wrong_sanitizer"
#include "tests/plugin/broken/plain.h"
