#include "core/plugin/descriptor.h"
#undef MEZO_COMPILER_TAG
#define MEZO_COMPILER_TAG "gcc 4.8.5"
#define ID "other_compiler"
#include "tests/plugin/broken/plain.h"
